//! Writes the place of libtorch into the programs and tests of the package that is being built, so that
//! they start without `LD_LIBRARY_PATH`. Shared: `common`, `trainer`, `infer` and `tests` all name this file
//! as their build script, since cargo passes link arguments to no other package's targets.
//!
//! The run path is tried in this order: `../lib` beside the program (an installed tree), then the libtorch
//! that the program was built with. `LD_LIBRARY_PATH` comes before both.

fn main() {
    // Set by torch-sys, whose `links` key is `tch`, for its direct dependents.
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    let is_unix = std::env::var_os("CARGO_CFG_UNIX").is_some();
    if let (Some(libtorch_lib), true) = (std::env::var_os("DEP_TCH_LIBTORCH_LIB"), is_unix) {
        println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/../lib:{}", libtorch_lib.to_string_lossy());
    }
}
