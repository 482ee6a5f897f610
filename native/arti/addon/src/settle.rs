//! Promises whose rejections have a code.

use std::future::Future;
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{Error, JsObjectValue, JsValue, PromiseRaw, Result, ToNapiValue};
use ron_transport_arti_core::Fault;

/// Runs `work` in the background; `give` makes the value on the thread of JavaScript.
pub fn promise<'env, T: Send + 'static, V: ToNapiValue>(
    env: &'env Env,
    work: impl Future<Output = std::result::Result<T, Fault>> + Send + 'static,
    give: impl FnOnce(&'env Env, T) -> Result<V> + 'static,
) -> Result<PromiseRaw<'env, V>> {
    env.spawn_future_with_callback(async move { Ok(work.await) }, move |env, outcome| match outcome {
        Ok(value) => give(env, value),
        Err(fault) => Err(thrown(env, &fault)),
    })
}

/// A promise of nothing.
pub fn nothing<'env>(
    env: &'env Env,
    work: impl Future<Output = std::result::Result<(), Fault>> + Send + 'static,
) -> Result<PromiseRaw<'env, ()>> {
    promise(env, work, |_, ()| Ok(()))
}

/// The fault as an `Error` of JavaScript with its `code`.
pub fn thrown(env: &Env, fault: &Fault) -> Error {
    let made = env.create_error(Error::from_reason(fault.message.clone())).and_then(|mut error| {
        error.set_named_property("code", fault.code.as_ref())?;
        Ok(Error::from_unknown_without_coercion(error.to_unknown()))
    });
    made.unwrap_or_else(|error| error)
}

/// What a caller has got wrong.
pub fn misuse(message: impl Into<String>) -> Fault {
    Fault { code: "BadApiUsage".into(), message: message.into() }
}

/// A port out of a number.
pub fn port(number: f64) -> std::result::Result<u16, Fault> {
    let port = number as u16;
    if port == 0 || f64::from(port) != number {
        return Err(misuse(format!("a port is a whole number from 1 to 65535, not {number}")));
    }
    Ok(port)
}

/// A time limit out of milliseconds.
pub fn limit(ms: f64) -> std::result::Result<Duration, Fault> {
    if !(0.0..=f64::from(u32::MAX)).contains(&ms) {
        return Err(misuse(format!("a time limit is 0 to {} ms, not {ms}", u32::MAX)));
    }
    Ok(Duration::from_millis(ms as u64))
}
