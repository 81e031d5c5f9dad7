//! The rasteriser: triangles go at once into the camera's view, its mirror image in the lake and two shadow
//! maps, and are then forgotten. Shading comes later, once for each visible sample.

use super::light::SUN;
use super::math::{UP, Vec3, vec3};

/// How a surface answers light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing here: the sky.
    Empty,
    /// Opaque and dull.
    Matte,
    /// Bark or old wood, with upright ridges.
    Bark,
    /// Thin and translucent: leaves, blades, petals.
    Leaf,
    /// The ground, whose colour is worked out from the place.
    Ground,
    /// A window pane.
    Glass,
}

/// What a triangle is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surface {
    pub(super) albedo: Vec3,
    pub(super) normal: Vec3,
    /// The share of the sky that reaches the surface, in `0..=1`.
    pub(super) openness: f32,
    pub(super) kind: Kind,
}

impl Surface {
    /// A dull surface; quads and boxes put in their own normal.
    pub(super) fn matte(albedo: Vec3) -> Self {
        Self { albedo, normal: UP, openness: 1.0, kind: Kind::Matte }
    }

    /// A leaf or a blade.
    pub(super) fn leaf(albedo: Vec3, normal: Vec3, openness: f32) -> Self {
        Self { albedo, normal, openness, kind: Kind::Leaf }
    }
}

/// One stored sample: a `Surface`, packed, and its nearness.
#[derive(Clone, Copy)]
pub(super) struct Texel {
    /// One over the distance along the view axis in metres; 0 for the sky.
    pub(super) nearness: f32,
    albedo: [u8; 3],
    normal: [i8; 3],
    openness: u8,
    kind: Kind,
}

impl Texel {
    const EMPTY: Self =
        Self { nearness: 0.0, albedo: [0; 3], normal: [0; 3], openness: 0, kind: Kind::Empty };

    /// Colours are stored as square roots, for finer steps in the dark.
    fn pack(surface: &Surface) -> Self {
        let code = |value: f32| (value.clamp(0.0, 1.0).sqrt() * 255.0 + 0.5) as u8;
        let axis = |value: f32| (value * 127.0) as i8;
        Self {
            nearness: 0.0,
            albedo: [code(surface.albedo.x), code(surface.albedo.y), code(surface.albedo.z)],
            normal: [axis(surface.normal.x), axis(surface.normal.y), axis(surface.normal.z)],
            openness: code(surface.openness),
            kind: surface.kind,
        }
    }

    pub(super) fn surface(&self) -> Surface {
        let value = |code: u8| f32::from(code) * f32::from(code) * (1.0 / 65_025.0);
        let [x, y, z] = self.normal.map(f32::from);
        Surface {
            albedo: vec3(value(self.albedo[0]), value(self.albedo[1]), value(self.albedo[2])),
            normal: vec3(x, y, z).unit(),
            openness: value(self.openness),
            kind: self.kind,
        }
    }

    pub(super) fn is_sky(&self) -> bool {
        self.kind == Kind::Empty
    }
}

/// What a camera sees of the scene: lengths over the image's width and, for the horizon, its height.
pub(super) struct Lens {
    pub(super) focal: f32,
    /// What looks straight ahead, from the left; below 0 with the front shifted far to the right.
    pub(super) middle: f32,
    /// The horizon, from the top.
    pub(super) horizon: f32,
}

/// A camera that looks along +z with an upright image plane (a view camera whose front rises and shifts), so that
/// verticals stay vertical.
#[derive(Clone, Copy)]
pub(super) struct Camera {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Focal length in samples.
    pub(super) focal: f32,
    /// The column that looks straight ahead.
    pub(super) middle: f32,
    /// The row of the horizon.
    pub(super) horizon: f32,
}

impl Camera {
    /// Height above the lake, in metres.
    pub(super) const EYE: f32 = 5.2;

    pub(super) fn new(width: usize, height: usize, lens: &Lens) -> Self {
        Self {
            width,
            height,
            focal: width as f32 * lens.focal,
            middle: width as f32 * lens.middle,
            horizon: height as f32 * lens.horizon,
        }
    }

    /// The slopes x/z and y/z of the ray through a place in the image.
    pub(super) fn slopes(&self, column: f32, row: f32) -> (f32, f32) {
        ((column - self.middle) / self.focal, (self.horizon - row) / self.focal)
    }

    /// Column, row and nearness of a point.
    fn project(&self, point: Vec3) -> Vec3 {
        let nearness = 1.0 / point.z;
        let scale = self.focal * nearness;
        vec3(self.middle + point.x * scale, self.horizon - (point.y - Self::EYE) * scale, nearness)
    }
}

/// Calls `plot(index, z)` for each sample of a `width` x `height` image inside the triangle, `z`
/// interpolated.
fn fill(corners: [Vec3; 3], width: usize, height: usize, mut plot: impl FnMut(usize, f32)) {
    let [a, b, c] = corners;
    let area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
    if area == 0.0 {
        return;
    }
    // The first sample at or after a place, without a call to `ceil`.
    let bound = |place: f32, limit: usize| ((place.max(-1.0) + 1.0) as usize).min(limit);
    let (left, right) = (a.x.min(b.x).min(c.x), a.x.max(b.x).max(c.x));
    let (top, bottom) = (a.y.min(b.y).min(c.y), a.y.max(b.y).max(c.y));
    let columns = bound(left - 0.5, width)..bound(right - 0.5, width);
    let rows = bound(top - 0.5, height)..bound(bottom - 0.5, height);
    let inverse = 1.0 / area;
    for row in rows {
        for column in columns.clone() {
            let place = vec3(column as f32 + 0.5, row as f32 + 0.5, 0.0);
            // How much each corner weighs at this place.
            let weight = |from: Vec3, to: Vec3| {
                ((from.x - place.x) * (to.y - place.y) - (from.y - place.y) * (to.x - place.x)) * inverse
            };
            let (wa, wb) = (weight(b, c), weight(c, a));
            let wc = 1.0 - wa - wb;
            if wa >= 0.0 && wb >= 0.0 && wc >= 0.0 {
                plot(row * width + column, wa * a.z + wb * b.z + wc * c.z);
            }
        }
    }
}

/// An image of packed surfaces with a depth test.
pub(super) struct Frame {
    texels: Vec<Texel>,
    width: usize,
    height: usize,
}

impl Frame {
    /// Triangles with a corner nearer than this many metres are left out.
    const NEAREST: f32 = 0.8;

    fn new(camera: &Camera) -> Self {
        Self {
            texels: vec![Texel::EMPTY; camera.width * camera.height],
            width: camera.width,
            height: camera.height,
        }
    }

    fn draw(&mut self, camera: &Camera, corners: [Vec3; 3], texel: Texel) {
        if corners.iter().any(|corner| corner.z < Self::NEAREST) {
            return;
        }
        let texels = &mut self.texels;
        fill(corners.map(|corner| camera.project(corner)), self.width, self.height, |index, nearness| {
            if nearness > texels[index].nearness {
                texels[index] = Texel { nearness, ..texel };
            }
        });
    }

    /// The sample at a place; places outside count as the nearest one inside.
    pub(super) fn at(&self, column: f32, row: f32) -> &Texel {
        let x = (column.max(0.0) as usize).min(self.width - 1);
        let y = (row.max(0.0) as usize).min(self.height - 1);
        &self.texels[y * self.width + x]
    }
}

/// What the sun sees: for each cell of a square across its rays, how far towards the sun the first surface
/// lies.
pub(super) struct ShadowMap {
    heights: Vec<f32>,
    centre: Vec3,
    across: Vec3,
    along: Vec3,
    /// Cell length in metres.
    cell: f32,
    size: usize,
}

impl ShadowMap {
    fn new(centre: Vec3, half_extent: f32, size: usize) -> Self {
        let across = SUN.cross(UP).unit();
        Self {
            heights: vec![f32::MIN; size * size],
            centre,
            across,
            along: across.cross(SUN),
            cell: 2.0 * half_extent / size as f32,
            size,
        }
    }

    /// Column, row and height towards the sun.
    fn project(&self, point: Vec3) -> Vec3 {
        let offset = point - self.centre;
        let middle = self.size as f32 * 0.5;
        vec3(
            middle + offset.dot(self.across) / self.cell,
            middle + offset.dot(self.along) / self.cell,
            offset.dot(SUN),
        )
    }

    fn draw(&mut self, corners: [Vec3; 3]) {
        let offset = corners[0] - self.centre;
        let reach = self.cell * self.size as f32;
        if offset.z.abs() > reach || offset.x.abs() > reach {
            return;
        }
        let projected = corners.map(|corner| self.project(corner));
        let heights = &mut self.heights;
        fill(projected, self.size, self.size, |index, height| heights[index] = heights[index].max(height));
    }

    /// The share of sunlight that reaches a point, or none if the map does not cover it. The neighbourhood is
    /// sampled over `blur` cells.
    pub(super) fn sunlight(&self, point: Vec3, blur: f32) -> Option<f32> {
        let place = self.project(point);
        let margin = blur + 2.0;
        let limit = self.size as f32 - margin;
        if place.x < margin || place.y < margin || place.x > limit || place.y > limit {
            return None;
        }
        let threshold = place.z + self.cell * 1.6;
        let mut lit = 0.0;
        for (dx, dy) in [(-0.9, -0.3), (0.3, -0.9), (0.9, 0.3), (-0.3, 0.9), (0.0, 0.0)] {
            let index = (place.y + dy * blur) as usize * self.size + (place.x + dx * blur) as usize;
            lit += if self.heights[index] > threshold { 0.0 } else { 0.2 };
        }
        Some(lit)
    }
}

/// All images of the scene that triangles are drawn into.
pub(super) struct Stage {
    pub(super) camera: Camera,
    pub(super) view: Frame,
    /// The view of the scene upside down below the lake's surface.
    pub(super) mirror: Frame,
    pub(super) near_shadow: ShadowMap,
    pub(super) far_shadow: ShadowMap,
    /// The scale over the one it was composed for: fewer and larger leaves do for a small picture.
    pub(super) detail: f32,
}

impl Stage {
    /// The focal length in samples that the amounts of leaves and blades were chosen for.
    const COMPOSED_FOCAL: f32 = 1920.0 * 0.98;

    pub(super) fn new(camera: Camera) -> Self {
        let detail = (camera.focal / Self::COMPOSED_FOCAL).min(1.0);
        let shadow_size = ((2048.0 * detail.sqrt()) as usize).max(256);
        Self {
            camera,
            view: Frame::new(&camera),
            mirror: Frame::new(&camera),
            near_shadow: ShadowMap::new(vec3(0.0, 3.0, 30.0), 38.0, shadow_size),
            far_shadow: ShadowMap::new(vec3(0.0, 10.0, 290.0), 340.0, shadow_size),
            detail,
        }
    }

    /// How many small things to draw where a full-sized picture has `count`.
    pub(super) fn amount(&self, count: usize) -> usize {
        ((count as f32 * self.detail * self.detail) as usize).max(1)
    }

    /// How large to draw a small thing that is `size` long in a full-sized picture.
    pub(super) fn enlarged(&self, size: f32) -> f32 {
        size / self.detail
    }

    /// Draws a triangle, with the surface's own normal.
    pub(super) fn triangle(&mut self, corners: [Vec3; 3], surface: &Surface) {
        let texel = Texel::pack(surface);
        self.view.draw(&self.camera, corners, texel);
        if corners.iter().all(|corner| corner.y > -0.05) {
            let upside_down = corners.map(|corner| vec3(corner.x, -corner.y, corner.z));
            self.mirror.draw(&self.camera, upside_down, texel);
        }
        self.near_shadow.draw(corners);
        self.far_shadow.draw(corners);
    }

    /// Draws a flat four-sided face, with the surface's own normal.
    pub(super) fn quad(&mut self, [a, b, c, d]: [Vec3; 4], surface: &Surface) {
        self.triangle([a, b, c], surface);
        self.triangle([a, c, d], surface);
    }

    /// Draws a flat four-sided face with corners in clockwise order as seen from its front.
    pub(super) fn face(&mut self, corners: [Vec3; 4], surface: &Surface) {
        let normal = (corners[1] - corners[0]).cross(corners[2] - corners[0]).unit();
        self.quad(corners, &Surface { normal, ..*surface });
    }

    /// Draws a leaf-shaped face: from `stem` along `reach`, `half_width` to each side.
    pub(super) fn blade(&mut self, stem: Vec3, reach: Vec3, half_width: Vec3, surface: &Surface) {
        self.kite(stem, (reach, 0.45), half_width, surface);
    }

    /// Draws a kite that is widest at the share `waist` of its length.
    pub(super) fn kite(
        &mut self,
        stem: Vec3,
        (reach, waist): (Vec3, f32),
        half_width: Vec3,
        surface: &Surface,
    ) {
        let waist = stem + reach * waist;
        self.quad([stem, waist - half_width, stem + reach, waist + half_width], surface);
    }

    /// Draws a parallelepiped around `centre` with these half edges.
    pub(super) fn block(&mut self, centre: Vec3, half_edges: [Vec3; 3], surface: &Surface) {
        for axis in 0..3 {
            for side in [-1.0, 1.0] {
                let out = half_edges[axis] * side;
                let (u, v) = (half_edges[(axis + 1) % 3], half_edges[(axis + 2) % 3]);
                let c = centre + out;
                let oriented = Surface { normal: out.unit(), ..*surface };
                self.quad([c - u - v, c + u - v, c + u + v, c - u + v], &oriented);
            }
        }
    }

    /// Draws a tapering round rod between two points.
    pub(super) fn rod(&mut self, from: Vec3, to: Vec3, radii: (f32, f32), surface: &Surface) {
        const SIDES: usize = 9;
        let axis = (to - from).unit();
        let helper = if axis.x.abs() < 0.8 { vec3(1.0, 0.0, 0.0) } else { vec3(0.0, 0.0, 1.0) };
        let u = axis.cross(helper).unit();
        let v = axis.cross(u);
        let rim = |side: usize| {
            let (cos, sin) = super::math::direction(side as f32 / SIDES as f32);
            u * cos + v * sin
        };
        for side in 0..SIDES {
            let (one, two) = (rim(side), rim(side + 1));
            let corners =
                [from + one * radii.0, from + two * radii.0, to + two * radii.1, to + one * radii.1];
            self.quad(corners, &Surface { normal: (one + two).unit(), ..*surface });
        }
    }
}
