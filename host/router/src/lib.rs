//! Sends deliveries in order per key: retries, breaker, throttle, parked events, settlement.
