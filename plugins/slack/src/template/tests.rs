use super::*;
use pintle_plugin_sdk::node::Node;
use pintle_plugin_sdk::serde_json;

const FIELDS: &str = r#"{
    "who": "Ada & <Co>", "n": 5.0, "no": false, "nothing": null, "favorite color": "black", "dotted.name": 1,
    "plan": {"name": "pro", "seats": 3, "owner": {"id": 7}, "tags": ["a", "b"]},
    "items": [{"sku": "A-1", "price": 9.5}, {"sku": "B-2"}], "none": []
}"#;

fn written(template: &str) -> String {
    let fields: Node<'_> = serde_json::from_str(FIELDS).unwrap();
    let scope = Scope { named: vec![], objects: vec![&fields] };
    let mut text = Writer::default();
    Template::parse(template).unwrap().write(&scope, &mut text);
    text.end()
}

#[test]
fn fields_are_written_as_people_read_them() {
    for (template, expected) in [
        ("{{who}} has {{ n }}", "Ada &amp; &lt;Co&gt; has 5"),
        ("{{{who}}} {{&who}}", "Ada & <Co> Ada & <Co>"),
        ("{{plan.name}}/{{plan/seats}}/{{no}}/{{nothing}}{{plan.x.y}}", "pro/3/false/"),
        ("{{favorite color}} {{[favorite color]}} {{this.[dotted.name]}}", "black black 1"),
        ("{{plan}}", "name: pro seats: 3 owner: {\"id\":7} tags: a,b "),
        ("{{items.1.sku}} {{items.[0].sku}} {{plan.tags}}", "B-2 A-1 a,b"),
        ("a{{newline}}b {nothing} }}", "a\nb {nothing} }}"),
        ("", ""),
    ] {
        assert_eq!(written(template), expected, "{template}");
    }
}

#[test]
fn blocks_choose_and_repeat() {
    for (template, expected) in [
        ("{{#if plan}}yes{{else}}no{{/if}} {{#if none}}yes{{else}}no{{/if}}", "yes no"),
        ("{{#if no}}1{{else if nothing}}2{{else if n}}3{{else}}4{{/if}}", "3"),
        ("{{#unless no}}free{{/unless}}", "free"),
        (
            "{{#each items}}{{@index}}:{{sku}} of {{../who}}{{#unless @last}}, {{/unless}}{{/each}}",
            "0:A-1 of Ada &amp; &lt;Co&gt;, 1:B-2 of Ada &amp; &lt;Co&gt;",
        ),
        ("{{#each plan.tags}}{{this}}{{.}}{{/each}}", "aabb"),
        ("{{#each plan}}{{@key}} {{/each}}{{#each none}}x{{else}}none{{/each}}", "name seats owner tags none"),
        ("{{#with plan.owner}}{{id}} {{@root.n}}{{/with}}", "7 5"),
        ("{{#items}}{{price}}-{{/items}}{{#plan}}{{name}}{{/plan}}{{^nothing}} none{{/nothing}}", "9.5--pro none"),
        ("a {{~ n ~}} b {{!-- no }} word --}}{{! nor this }}c", "a5b c"),
    ] {
        assert_eq!(written(template), expected, "{template}");
    }
}

#[test]
fn a_block_alone_on_its_line_is_no_line() {
    assert_eq!(
        written("Items\n{{#each items}}\n- {{sku}}\n{{/each}}\n{{#if no}}\nx\n{{/if}}\nend"),
        "Items\n- A-1\n- B-2\nend"
    );
}

#[test]
fn what_is_no_template_is_refused_in_words() {
    for (template, wrong) in [
        ("{{name", "its }}"),
        ("{{!-- a }", "its --}}"),
        ("{{}}", "without a field's name"),
        ("{{#if a}}x", "without its {{/"),
        ("x{{/if}}", "without its {{#"),
        ("{{else}}", "outside of a block"),
        ("{{#if a}}{{/each}}", "closes another block"),
        ("{{#each}}{{/each}}", "of which field"),
        ("{{[a}}", "without its ]"),
        ("{{#each a as |b|}}{{/each}}", "|bars|"),
    ] {
        let found = Template::parse(template).unwrap_err();
        assert!(found.contains(wrong), "{template}: {found}");
    }
    let deep = "{{#if a}}".repeat(100) + &"{{/if}}".repeat(100);
    assert!(Template::parse(&deep).unwrap_err().contains("nested deeper"));
}

#[test]
fn a_message_ends_where_slack_would_cut_it() {
    let long = "ü".repeat(30_000);
    let mut text = Writer::default();
    Template::parse(&format!("x{long}{{{{n}}}}")).unwrap().write(&Scope { named: vec![], objects: vec![] }, &mut text);
    assert_eq!(text.end().len(), 39_999);
}
