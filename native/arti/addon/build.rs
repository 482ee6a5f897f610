//! Lets the linker leave Node-API's functions to the runtime that loads the addon.

fn main() {
    napi_build::setup();
}
