//! What tests find in a picture.

/// The text of a picture with one chart.
pub(super) struct Drawn(pub String);

/// In pixels; y counts downwards.
pub(super) type Point = (f64, f64);

/// Where the lines of the grid end.
#[derive(Debug)]
pub(super) struct Edges {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Edges {
    pub(super) fn hold(&self, (x, y): Point) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }
}

impl Drawn {
    pub(super) fn says(&self, text: &str) -> bool {
        self.0.lines().any(|line| line == text)
    }

    /// Centres.
    pub(super) fn dots(&self) -> Vec<Point> {
        let circles = self.elements("circle");
        circles.map(|of| (number(of, "cx"), number(of, "cy"))).collect()
    }

    /// Corners, the tip first.
    pub(super) fn triangles(&self) -> Vec<[Point; 3]> {
        let paths = self.elements("polyline").map(points);
        let closed = paths.filter_map(|path| match path[..] {
            [tip, left, right, end] if end == tip => Some([tip, left, right]),
            _ => None,
        });
        closed.collect()
    }

    /// Lines from one point to another that are not black: error bars.
    pub(super) fn segments(&self) -> Vec<[Point; 2]> {
        let coloured = self
            .elements("polyline")
            .filter(|of| attribute(of, "stroke") != "#000000");
        coloured.filter_map(|of| points(of).try_into().ok()).collect()
    }

    /// Left and right end of each.
    pub(super) fn rectangles(&self) -> Vec<(f64, f64)> {
        let rectangles = self.elements("rect");
        let ends = rectangles.map(|of| (number(of, "x"), number(of, "x") + number(of, "width")));
        ends.collect()
    }

    pub(super) fn edges(&self) -> Edges {
        let mut edges = Edges {
            left: f64::MAX,
            right: f64::MIN,
            top: f64::MAX,
            bottom: f64::MIN,
        };
        for line in self.elements("line") {
            let (x, y) = (
                ["x1", "x2"].map(|x| number(line, x)),
                ["y1", "y2"].map(|y| number(line, y)),
            );
            edges.left = x.into_iter().fold(edges.left, f64::min);
            edges.right = x.into_iter().fold(edges.right, f64::max);
            edges.top = y.into_iter().fold(edges.top, f64::min);
            edges.bottom = y.into_iter().fold(edges.bottom, f64::max);
        }
        edges
    }

    fn elements<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let begins = format!("<{name} ");
        self.0.lines().filter(move |line| line.starts_with(&begins))
    }
}

fn points(path: &str) -> Vec<Point> {
    let point = |pair: &str| {
        let (x, y) = pair.split_once(',')?;
        Some((x.parse().ok()?, y.parse().ok()?))
    };
    attribute(path, "points").split(' ').filter_map(point).collect()
}

fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
    let begins = format!(" {name}=\"");
    let value = element.split_once(&begins).and_then(|(_, rest)| rest.split_once('"'));
    value.unwrap_or_else(|| panic!("{name} is not in {element}")).0
}

fn number(element: &str, name: &str) -> f64 {
    attribute(element, name).parse().expect("a number")
}
