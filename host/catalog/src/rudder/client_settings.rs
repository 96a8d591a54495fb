//! Settings of RudderStack's destinations that are for the vendors' SDKs in apps and browsers.
//!
//! They say how an SDK that sends by itself behaves: what it keeps, which page views it counts, when it uploads. What a
//! server sends is the same whatever they say.

/// By plugin.
const CLIENT_SETTINGS: [(&str, &[&str]); 7] = [
    (
        "amplitude",
        &[
            "attribution",
            "batchEvents",
            "enableLocationListening",
            "eventUploadPeriodMillis",
            "eventUploadThreshold",
            "preferAnonymousIdForDeviceId",
            "proxyServerUrl",
            "trackAllPages",
            "trackCategorizedPages",
            "trackNamedPages",
            "trackNewCampaigns",
            "trackSessionEvents",
            "trackUtmProperties",
            "unsetParamsReferrerOnNewSession",
            "useAdvertisingIdForDeviceId",
            "useIdfaAsDeviceId",
            "versionName",
        ],
    ),
    ("braze", &["allowUserSuppliedJavascript", "enableBrazeLogging", "enablePushNotification", "trackAnonymousUser"]),
    (
        "customerio",
        &[
            "autoTrackDeviceAttributes",
            "backgroundQueueMinNumberOfTasks",
            "backgroundQueueSecondsDelay",
            "dataUseInApp",
            "sendPageNameInSDK",
        ],
    ),
    ("facebook-pixel", &["autoConfig", "legacyConversionPixelId", "useUpdatedMapping"]),
    (
        "google-analytics-4",
        &[
            "blockPageViewEvent",
            "capturePageView",
            "debugView",
            "extendPageViewParams",
            "overrideClientAndSessionId",
            "sendUserId",
        ],
    ),
    ("klaviyo", &["additionalPageInfo", "sendPageAsTrack"]),
    (
        "mixpanel",
        &[
            "consolidatedPageCalls",
            "crossSubdomainCookie",
            "eventIncrements",
            "ignoreDnt",
            "people",
            "peopleProperties",
            "persistenceName",
            "persistenceType",
            "secureCookie",
            "sessionReplayPercentage",
            "setAllTraitsByDefault",
            "sourceName",
            "superProperties",
            "trackCategorizedPages",
            "trackNamedPages",
        ],
    ),
];

/// Whether a setting is for SDKs alone.
pub(super) fn is_for_clients(plugin: &str, setting: &str) -> bool {
    CLIENT_SETTINGS.iter().any(|(known, settings)| *known == plugin && settings.contains(&setting))
}
