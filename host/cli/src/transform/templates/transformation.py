# Runs on every event, in a sandbox. What it returns is delivered; returning nothing drops the event.
def transformEvent(event, metadata):
    if event.get("event") == "Noise":
        return None

    properties = event.get("properties") or {}
    if "email" in properties:
        properties["emailDomain"] = properties.pop("email").split("@")[1]
    return event
