//! Bytes into memory of JavaScript.

use napi::Env;
use napi::bindgen_prelude::{FromNapiValue, Result, ToNapiValue, Uint8Array, Uint8ArraySlice};

use crate::settle::{misuse, thrown};

/// Copies `bytes` to the start of `into`, as it is now: while a read waited, its memory may have been transferred to
/// somebody else, or shrunk.
pub fn copy_into(env: &Env, into: Uint8Array, bytes: &[u8]) -> Result<u32> {
    // SAFETY: `env` is that of this thread, as callbacks of promises run on the thread of JavaScript, and the value is
    // the one that `into` refers to.
    let mut view = unsafe {
        let value = Uint8Array::to_napi_value(env.raw(), into)?;
        Uint8ArraySlice::from_napi_value(env.raw(), value)?
    };
    // SAFETY: pointer and length were asked for just now. No JavaScript of this thread runs before `target` is gone, and
    // a buffer that is shared with other threads is no Uint8Array that Node-API gives a pointer for without their
    // consent: they may see bytes early, as they would when JavaScript copied them.
    let target = unsafe { view.as_mut() };
    let Some(target) = target.get_mut(..bytes.len()) else {
        return Err(thrown(env, &misuse("the memory of a read was taken away while it waited")));
    };
    target.copy_from_slice(bytes);
    Ok(bytes.len() as u32)
}
