//! Linker settings of the hot module: a small stack, and a ceiling for its memory that no input can lift.

/// Fixed buffers take 0.2 MiB at rest and 2.4 MiB once the guard was used; a test holds them to that.
const MAX_MEMORY: usize = 3 << 20;
const STACK: usize = 64 << 10;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo:rustc-link-arg-cdylib=--max-memory={MAX_MEMORY}");
        println!("cargo:rustc-link-arg-cdylib=-zstack-size={STACK}");
    }
}
