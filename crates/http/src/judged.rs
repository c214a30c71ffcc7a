//! Values of fields, made of bytes that were judged before.

use bytes::Bytes;
use http::HeaderValue;

/// The value of a field whose `bytes` the reader of its head let pass: [`relais_wire::http1`].
pub(crate) fn judged_value(bytes: Bytes) -> HeaderValue {
    #[expect(unsafe_code, reason = "to look at each byte once more is a tenth of reading a head")]
    // SAFETY: both let pass what a `HeaderValue` may hold, and nothing else: a tab, and all bytes from
    // a space on but for DEL. With debug assertions, that is looked at here as well.
    unsafe {
        HeaderValue::from_maybe_shared_unchecked(bytes)
    }
}
