//! The entries of the matting Laplacian, diagonal by diagonal.

use tch::{Kind, Tensor};

/// Pixels along a window's side.
const SIDE: i64 = 3;
/// Pixels of a window.
const PIXELS: i64 = SIDE * SIDE;
/// The entries `w_ij = -M_ij` of all pairs of pixels j = i + (`down`, `right`).
pub(super) struct Band {
    down: i64,
    right: i64,
    weights: Tensor, // f32 [h - down, w - |right|]
}

impl Band {
    /// All offsets within a window, each pair of pixels once: 12 of them.
    fn offsets() -> impl Iterator<Item = (i64, i64)> {
        let reach = SIDE - 1;
        (0..=reach)
            .flat_map(move |down| (-reach..=reach).map(move |right| (down, right)))
            .filter(|&(down, right)| down > 0 || right > 0)
    }

    /// Of planes `[.., h, w]`, the pixels i.
    fn first(&self, planes: &Tensor) -> Tensor {
        self.part(planes, 0, (-self.right).max(0))
    }

    /// Of planes `[.., h, w]`, the pixels j.
    fn second(&self, planes: &Tensor) -> Tensor {
        self.part(planes, self.down, self.right.max(0))
    }

    fn part(&self, planes: &Tensor, top: i64, left: i64) -> Tensor {
        let (height, width) = self.weights.size2().expect("a plane");
        planes.narrow(-2, top, height).narrow(-1, left, width)
    }

    /// Adds this band's share of `M planes` to `result`, in place.
    pub(super) fn add_to(&self, result: &Tensor, planes: &Tensor) {
        let mut share = self.second(planes) - self.first(planes);
        share *= &self.weights;
        let (mut first, mut second) = (self.first(result), self.second(result));
        first -= &share;
        second += &share;
    }
}

/// The bands for a photo in unit RGB, f64 `[3, h, w]`; none if no window fits. About `windows_at_once` are looked at
/// together, whole rows of them.
pub(super) fn of_unit_rgb(unit_rgb: &Tensor, epsilon: f64, windows_at_once: i64) -> Vec<Band> {
    let (_, height, width) = unit_rgb.size3().expect("one photo");
    if height.min(width) < SIDE {
        return Vec::new();
    }
    let (window_rows, window_columns) = (height - SIDE + 1, width - SIDE + 1);
    let mut bands: Vec<Band> = Band::offsets()
        .map(|(down, right)| {
            let weights =
                Tensor::zeros([height - down, width - right.abs()], (Kind::Float, unit_rgb.device()));
            Band { down, right, weights }
        })
        .collect();
    let rows_at_once = (windows_at_once / window_columns).max(1);
    for top in (0..window_rows).step_by(rows_at_once as usize) {
        let rows = rows_at_once.min(window_rows - top);
        let colours = whitened_windows(&unit_rgb.narrow(1, top, rows + SIDE - 1), epsilon);
        for band in &mut bands {
            add_windows(band, top, &colours);
        }
    }
    bands
}

/// Adds to a band what all windows of some rows have of it: `(1 + z_i . z_j) / 9` for each pair of their pixels.
/// `colours` is as of [`whitened_windows`], whose first row of windows begins at row `top` of the photo.
fn add_windows(band: &mut Band, top: i64, colours: &Tensor) {
    let (rows, columns) = (colours.size()[2], colours.size()[3]);
    for y in 0..SIDE - band.down {
        for x in (-band.right).max(0)..SIDE - band.right.max(0) {
            let place = y * SIDE + x;
            let other = place + band.down * SIDE + band.right;
            let products = (colours.select(0, place) * colours.select(0, other)) // [3, rows, columns]
                .sum_dim_intlist(0, /*keepdim=*/ false, Kind::Double);
            // A band's columns begin where its first pixels do.
            let left = x - (-band.right).max(0);
            let mut weights = band.weights.narrow(0, top + y, rows).narrow(1, left, columns);
            weights += (products + 1.0) / PIXELS as f64;
        }
    }
}

/// The colours of each window, `[9, 3, rows, columns]`: z with `z_i . z_j = (I_i - mean)^T (covariance + epsilon / 9)^-1
/// (I_j - mean)`.
///
/// By Cholesky's decomposition, since the covariance of a grey photo's window is close to singular: its cofactors would lose
/// what epsilon adds.
fn whitened_windows(unit_rgb: &Tensor, epsilon: f64) -> Tensor {
    let (_, height, width) = unit_rgb.size3().expect("rows of a photo");
    let (rows, columns) = (height - SIDE + 1, width - SIDE + 1);
    let shifted: Vec<Tensor> = (0..PIXELS)
        .map(|place| unit_rgb.narrow(1, place / SIDE, rows).narrow(2, place % SIDE, columns))
        .collect();
    let windows = Tensor::stack(&shifted, 0);
    let centred = &windows - windows.mean_dim([0i64].as_slice(), /*keepdim=*/ true, Kind::Double);
    let [red, green, blue] = [0, 1, 2].map(|channel| centred.select(1, channel)); // [9, rows, columns]
    let covariance = |a: &Tensor, b: &Tensor| (a * b).mean_dim([0i64].as_slice(), false, Kind::Double);
    let ridge = epsilon / PIXELS as f64;
    // What is left of a variance never falls below the ridge, but for rounding.
    let root = |left_of_variance: Tensor| left_of_variance.clamp_min(ridge).sqrt();

    let red_scale = root(covariance(&red, &red) + ridge);
    let green_by_red = covariance(&green, &red) / &red_scale;
    let blue_by_red = covariance(&blue, &red) / &red_scale;
    let green_scale = root(covariance(&green, &green) + ridge - green_by_red.square());
    let blue_by_green = (covariance(&blue, &green) - &blue_by_red * &green_by_red) / &green_scale;
    let blue_scale = root(covariance(&blue, &blue) + ridge - blue_by_red.square() - blue_by_green.square());

    let red = red / red_scale;
    let green = (green - green_by_red * &red) / green_scale;
    let blue = (blue - blue_by_red * &red - blue_by_green * &green) / blue_scale;
    Tensor::stack(&[red, green, blue], 1)
}
