//! A picture at quarter resolution, in memory or in a file.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::Path;

/// Rows of values that are read and written in bands.
pub(super) struct Store {
    row_values: usize,
    place: Place,
}

enum Place {
    Memory(Vec<f32>),
    File(File),
}

impl Store {
    pub(super) fn in_memory(rows: usize, row_values: usize) -> Self {
        Self { row_values, place: Place::Memory(vec![0.0; rows * row_values]) }
    }

    /// In a file without a name, which the system removes with the process.
    pub(super) fn in_file(folder: &Path, row_values: usize) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { row_values, place: Place::File(tempfile::tempfile_in(folder)?) })
    }

    pub(super) fn row_values(&self) -> usize {
        self.row_values
    }

    /// From now on rows have so many values, at most as many as at first; what is kept has no meaning until it is written
    /// again.
    pub(super) fn set_row_values(&mut self, row_values: usize) {
        self.row_values = row_values;
    }

    /// The values of `rows`; those of a file come by way of `buffer`.
    pub(super) fn read<'a>(
        &'a mut self,
        rows: &Range<usize>,
        buffer: &'a mut Vec<f32>,
    ) -> io::Result<&'a [f32]> {
        let range = rows.start * self.row_values..rows.end * self.row_values;
        match &mut self.place {
            Place::Memory(values) => Ok(&values[range]),
            Place::File(file) => {
                buffer.resize(range.len(), 0.0);
                file.seek(SeekFrom::Start(4 * range.start as u64))?;
                file.read_exact(bytemuck::cast_slice_mut(buffer))?;
                Ok(buffer)
            }
        }
    }

    /// Writes `rows` by `produce`, which gets what is there where the store is in memory, and anything where it is not.
    pub(super) fn write(
        &mut self,
        rows: &Range<usize>,
        buffer: &mut Vec<f32>,
        produce: impl FnOnce(&mut [f32]),
    ) -> io::Result<()> {
        let range = rows.start * self.row_values..rows.end * self.row_values;
        match &mut self.place {
            Place::Memory(kept) => produce(&mut kept[range]),
            Place::File(file) => {
                buffer.resize(range.len(), 0.0);
                produce(buffer);
                file.seek(SeekFrom::Start(4 * range.start as u64))?;
                file.write_all(bytemuck::cast_slice(buffer))?;
            }
        }
        Ok(())
    }

    /// Changes the values of `rows` in place.
    pub(super) fn update(
        &mut self,
        rows: &Range<usize>,
        buffer: &mut Vec<f32>,
        change: impl FnOnce(&mut [f32]),
    ) -> io::Result<()> {
        if matches!(self.place, Place::File(_)) {
            self.read(rows, buffer)?;
        }
        self.write(rows, buffer, change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_what_memory_holds() {
        let folder = tempfile::tempdir().unwrap();
        let both = [Store::in_memory(5, 3), Store::in_file(folder.path(), 3).unwrap()];
        let mut found = Vec::new();
        for mut store in both {
            let mut buffer = Vec::new();
            for rows in [0..2, 2..5] {
                let first = rows.start as f32;
                store.write(&rows, &mut buffer, |values| values.fill(first)).unwrap();
            }
            store
                .update(&(1..3), &mut buffer, |values| values.iter_mut().for_each(|it| *it += 10.0))
                .unwrap();
            found.push(store.read(&(0..4), &mut buffer).unwrap().to_vec());
        }
        assert_eq!(found[0], [0.0, 0.0, 0.0, 10.0, 10.0, 10.0, 12.0, 12.0, 12.0, 2.0, 2.0, 2.0]);
        assert_eq!(found[0], found[1]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the file has no name");
    }
}
