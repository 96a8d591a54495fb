//! Events with what the e-commerce specification asks of their names, which some destinations insist on: a cart, a
//! checkout and an order have products and a revenue, and a search has what was searched for.

/// Those whose products are a list. One that is about a single product describes it itself.
const WITH_PRODUCTS: [&str; 3] = ["Cart Viewed", "Checkout Started", "Order Completed"];
const SEARCH: &str = "Products Searched";

/// An event of the pool, completed: its product becomes the only one of a list. None if it is no event of the pool.
pub fn completed(event: &str) -> Option<String> {
    let (head, rest) = event.split_once(r#""sku":"#)?;
    let (product, tail) = rest.split_once(r#","currency":"#)?;
    let (_, price) = product.split_once(r#""price":"#)?;
    let (price, _) = price.split_once(',')?;
    let (_, name) = head.split_once(r#""event":""#)?;
    let (name, _) = name.split_once('"')?;
    // Under the name that every destination knows.
    let product = format!(r#""product_id":{product}"#);
    let own = match name {
        name if WITH_PRODUCTS.contains(&name) => format!(r#""products":[{{{product}}}],"revenue":{price}"#),
        SEARCH => format!(r#""query":"number {price}",{product}"#),
        _ => product,
    };
    Some(format!(r#"{head}{own},"currency":{tail}"#))
}
