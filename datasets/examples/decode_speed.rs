//! Photos a second from a folder, without training:
//! `cargo run --release -p datasets --example decode_speed -- FOLDER [THREADS [BATCHES]]`
#![allow(clippy::print_stdout)] // a program

use std::time::Instant;

use datasets::{A_LITTLE_ZOOM, PhotoFolder, PhotoStream, StreamConfig, StreamPosition};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().ok_or("usage: decode_speed FOLDER [THREADS [BATCHES]]")?;
    let decode_threads = arguments.next().map_or(Ok(2), |threads| threads.parse())?;
    let batches = arguments.next().map_or(Ok(250), |batches| batches.parse())?;
    let config = StreamConfig {
        seed: 1,
        crop: 256,
        batch: 4,
        augment: true,
        zoom: A_LITTLE_ZOOM,
        decode_threads,
        start: StreamPosition::default(),
    };
    let mut stream = PhotoStream::new(PhotoFolder::scan(&root)?, config)?;
    stream.next_batch()?; // file cache and threads are warm
    let start = Instant::now();
    for _ in 0..batches {
        stream.next_batch()?;
    }
    let rate = (batches * config.batch) as f64 / start.elapsed().as_secs_f64();
    println!("{rate:.0} photos/s on {decode_threads} threads, {} skipped: {root}", stream.skipped().len());
    Ok(())
}
