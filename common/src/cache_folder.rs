//! Where what can be made or fetched anew is kept.

use std::path::PathBuf;

use etcetera::BaseStrategy as _;

/// The user's folder for what can be made or fetched anew: `$ATELIER_CACHE`; where that is not set, `atelier` in the
/// platform's folder for caches (`$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`). `None` where the
/// system does not say where the user's home is.
pub fn standard() -> Option<PathBuf> {
    let own = std::env::var_os("ATELIER_CACHE").filter(|value| !value.is_empty()).map(PathBuf::from);
    own.or_else(|| Some(etcetera::base_strategy::choose_native_strategy().ok()?.cache_dir().join("atelier")))
}
