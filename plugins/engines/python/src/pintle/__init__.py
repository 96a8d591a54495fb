"""The engine's own code. User code never sees this package: it is gone from `sys.modules` before user code runs."""
