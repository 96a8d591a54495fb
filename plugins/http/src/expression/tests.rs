use super::*;
use pintle_plugin_sdk::serde_json;

const EVENT: &str = r#"{
    "type": "track", "userId": 7, "blank": "", "zero": 0, "none": null,
    "traits": {"first": "Ada", "last": "L", "home town": "London", "x-id": "x"},
    "items": [{"sku": "A", "price": 9.5, "qty": 2}, {"sku": "B", "price": 20}, {"sku": "C", "price": "30"}]
}"#;

fn value(expression: &str) -> String {
    let event: Node<'_> = serde_json::from_str(EVENT).unwrap();
    let read = Expression::parse(expression).unwrap_or_else(|wrong| panic!("{expression}: {wrong}"));
    read.value(&event).map_or_else(|| "nothing".to_owned(), |value| value.json())
}

#[test]
fn paths_lead_to_values() {
    for (path, expected) in [
        ("$.type", r#""track""#),
        ("$traits.first", r#""Ada""#),
        ("$.traits['home town']", r#""London""#),
        (r#"$.traits."home town""#, r#""London""#),
        ("$.traits.x-id", r#""x""#),
        ("$.items[0].sku", r#""A""#),
        ("$.items.1.sku", r#""B""#),
        ("$.items[-1].sku", r#""C""#),
        ("$.items[9].sku", "nothing"),
        ("$.none", "nothing"),
        ("$.type.length", "nothing"),
        ("$.items[*].sku", r#"["A","B","C"]"#),
        ("$.items[1:].sku", r#"["B","C"]"#),
        ("$.items[:-1].sku", r#"["A","B"]"#),
        ("$.items[5:2].sku", "nothing"),
        ("$.items[?(@.price >= 20)].sku", r#"["B","C"]"#),
        ("$.items[?(@.qty)].sku", r#"["A"]"#),
        ("$.items[?(@.sku == 'B' || @.price < 10)].price", "[9.5,20]"),
        ("$.items[?(@.sku != $.type && !@.qty)].sku", r#"["B","C"]"#),
        ("$..sku", r#"["A","B","C"]"#),
        ("$..['sku']", r#"["A","B","C"]"#),
        ("$..[0].price", "[9.5]"),
        ("$.traits.*", r#"["Ada","L","London","x"]"#),
        ("$.traits['last','first']", r#"["L","Ada"]"#),
        ("$.nothing[*].sku", "nothing"),
    ] {
        assert_eq!(value(path), expected, "{path}");
    }
}

#[test]
fn values_can_be_chosen_and_made() {
    for (expression, expected) in [
        ("$.email || $.blank || $.userId", "7"),
        ("$.blank ?? 'x'", r#""""#),
        ("$.none ?? $.email ?? 'x'", r#""x""#),
        ("$.traits.first + ' ' + $.traits.last", r#""Ada L""#),
        ("$.traits.first + $.email", "nothing"),
        ("$.items[0].price * $.items[0].qty + 1", "20"),
        ("($.zero + 1) / 4", "0.25"),
        ("$.zero / 0", "nothing"),
        ("-$.userId", "-7"),
        ("$.userId == '7'", "true"),
        ("$.userId > 3 && $.type", r#""track""#),
        ("$.a == $.none", "true"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn what_has_no_sign_of_an_expression_is_a_constant() {
    for (constant, expected) in [
        ("'a \\'b\\''", r#""a 'b'""#),
        ("\"EUR\"", r#""EUR""#),
        ("25", "25"),
        ("-2.50", "-2.5"),
        ("1e3", "1000"),
        ("true", "true"),
        ("null", "nothing"),
        ("rudderstack", r#""rudderstack""#),
        ("application/json", r#""application/json""#),
        ("text/plain; charset=utf-8", r#""text/plain; charset=utf-8""#),
        ("a@b.example", r#""a@b.example""#),
        ("2024-05-01", r#""2024-05-01""#),
        ("2024-10", r#""2024-10""#),
        ("007", r#""007""#),
        ("1.2.3", r#""1.2.3""#),
    ] {
        assert_eq!(value(constant), expected, "{constant}");
    }
}

#[test]
fn what_is_no_expression_is_refused() {
    for wrong in [
        "process.env||$.userId",
        "$.a ||",
        "$.a $.b",
        "$.",
        "$.a[",
        "$.a[]",
        "$.a[1.5]",
        "$.a[b]",
        "'open",
        "$.a.toUpperCase()",
        "{\"a\": 1}",
        "$.a = 1",
        "$.a[?(@.b]",
        "$..",
    ] {
        assert!(Expression::parse(wrong).is_err(), "{wrong}");
    }
    let deep = format!("{}1{}", "(".repeat(1000), ")".repeat(1000));
    assert!(Expression::parse(&deep).is_err());
}
