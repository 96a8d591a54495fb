//! The component runtime: engine, limits, instances, the component cache, script preparation.
