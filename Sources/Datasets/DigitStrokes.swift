/// The ten digits as a pen writes them, each in the several ways that people have.
///
/// Coordinates: y from −1 at the top to 1 at the bottom, x from about −0.6 on the left to 0.6 on the right.
struct DigitStrokes: Sendable {
  struct Point: Sendable {
    let position: SIMD2<Double>
    /// Whether the pen turns sharply here; elsewhere it passes smoothly.
    let isCorner: Bool
  }

  struct Stroke: Sendable {
    let points: Range<Int>
    /// Whether the pen returns to where it began.
    let isClosed: Bool
  }

  /// All points, strokes and ways of writing, each named by ranges of the one before: one flat table to read from.
  private(set) var points: [Point] = []
  private(set) var strokes: [Stroke] = []
  private(set) var variants: [Range<Int>] = []
  /// The variants of each digit.
  private(set) var digits: [Range<Int>] = []

  static let maximumPointsAStroke = 16

  /// One movement of the pen: its points in order, sharp ones marked.
  private enum Pen {
    case open([Mark])
    case closed([Mark])
  }

  private enum Mark {
    case smooth(Double, Double)
    case sharp(Double, Double)
  }

  init() {
    for ways in [
      Self.zero, Self.one, Self.two, Self.three, Self.four, Self.five, Self.six, Self.seven, Self.eight, Self.nine,
    ] {
      let first = variants.count
      for way in ways { append(way) }
      digits.append(first..<variants.count)
    }
  }

  private mutating func append(_ way: [Pen]) {
    let firstStroke = strokes.count
    for pen in way {
      let firstPoint = points.count
      switch pen {
      case .open(let marks), .closed(let marks):
        for mark in marks {
          switch mark {
          case .smooth(let x, let y): points.append(Point(position: SIMD2(x, y), isCorner: false))
          case .sharp(let x, let y): points.append(Point(position: SIMD2(x, y), isCorner: true))
          }
        }
      }
      if case .closed = pen {
        strokes.append(Stroke(points: firstPoint..<points.count, isClosed: true))
      } else {
        strokes.append(Stroke(points: firstPoint..<points.count, isClosed: false))
      }
    }
    variants.append(firstStroke..<strokes.count)
  }

  private static let zero: [[Pen]] = [
    [
      .closed([
        .smooth(0, -1), .smooth(-0.42, -0.72), .smooth(-0.58, 0), .smooth(-0.42, 0.72), .smooth(0, 1),
        .smooth(0.42, 0.72), .smooth(0.58, 0), .smooth(0.42, -0.72),
      ])
    ],
    [
      .open([
        .smooth(0.22, -0.92), .smooth(-0.3, -0.78), .smooth(-0.56, 0), .smooth(-0.32, 0.8), .smooth(0.1, 1),
        .smooth(0.48, 0.5), .smooth(0.52, -0.2), .smooth(0.28, -0.8), .smooth(-0.12, -0.98), .smooth(-0.3, -0.8),
      ])
    ],
  ]

  private static let one: [[Pen]] = [
    [.open([.sharp(0, -1), .sharp(0, 1)])],
    [.open([.sharp(-0.32, -0.62), .sharp(0.06, -1), .sharp(0.04, 1)])],
    [
      .open([.sharp(-0.32, -0.6), .sharp(0.04, -1), .sharp(0.04, 0.96)]),
      .open([.sharp(-0.36, 0.96), .sharp(0.42, 0.96)]),
    ],
  ]

  private static let two: [[Pen]] = [
    [
      .open([
        .smooth(-0.5, -0.55), .smooth(-0.2, -0.95), .smooth(0.3, -0.9), .smooth(0.46, -0.45), .smooth(0.12, 0.2),
        .sharp(-0.52, 0.95), .sharp(0.56, 0.95),
      ])
    ],
    [
      .open([
        .smooth(-0.48, -0.62), .smooth(-0.12, -0.98), .smooth(0.36, -0.82), .smooth(0.4, -0.3), .smooth(0.02, 0.36),
        .smooth(-0.36, 0.88), .smooth(-0.56, 0.8), .smooth(-0.42, 0.58), .smooth(0, 0.78), .smooth(0.56, 0.92),
      ])
    ],
    [
      .open([
        .smooth(-0.46, -0.7), .smooth(0, -0.98), .smooth(0.42, -0.68), .smooth(0.24, -0.05), .sharp(-0.48, 0.9),
        .smooth(-0.12, 0.76), .smooth(0.22, 0.95), .smooth(0.56, 0.76),
      ])
    ],
  ]

  private static let three: [[Pen]] = [
    [
      .open([
        .smooth(-0.46, -0.74), .smooth(-0.05, -1), .smooth(0.4, -0.72), .smooth(0.26, -0.24), .sharp(-0.14, -0.05),
        .smooth(0.36, 0.14), .smooth(0.48, 0.58), .smooth(0.05, 1), .smooth(-0.5, 0.74),
      ])
    ],
    [
      .open([
        .sharp(-0.46, -0.94), .sharp(0.42, -0.94), .sharp(-0.06, -0.2), .smooth(0.38, -0.02), .smooth(0.48, 0.5),
        .smooth(0.08, 0.98), .smooth(-0.5, 0.8),
      ])
    ],
    [
      .open([
        .smooth(-0.4, -0.8), .smooth(0.1, -0.98), .smooth(0.4, -0.62), .smooth(0.12, -0.14), .smooth(-0.12, -0.04),
        .smooth(0.2, 0.04), .smooth(0.44, 0.46), .smooth(0.14, 0.94), .smooth(-0.44, 0.88),
      ])
    ],
  ]

  private static let four: [[Pen]] = [
    [
      .open([.sharp(-0.34, -0.94), .sharp(-0.5, 0.16), .sharp(0.56, 0.1)]),
      .open([.sharp(0.26, -0.62), .sharp(0.2, 1)]),
    ],
    [
      .open([.sharp(0.26, -1), .sharp(-0.56, 0.3), .sharp(0.6, 0.3)]),
      .open([.sharp(0.26, -1), .sharp(0.26, 1)]),
    ],
    [
      .open([.smooth(-0.46, -0.86), .smooth(-0.46, -0.24), .smooth(-0.1, 0.06), .sharp(0.36, -0.08)]),
      .open([.sharp(0.42, -0.92), .sharp(0.3, 1)]),
    ],
  ]

  private static let five: [[Pen]] = [
    [
      .open([
        .sharp(-0.36, -0.94), .sharp(-0.42, -0.14), .smooth(0.1, -0.3), .smooth(0.48, 0.2), .smooth(0.26, 0.84),
        .smooth(-0.18, 1), .smooth(-0.54, 0.76),
      ]),
      .open([.sharp(-0.36, -0.94), .sharp(0.5, -0.96)]),
    ],
    [
      .open([
        .sharp(0.5, -0.96), .sharp(-0.26, -0.9), .sharp(-0.4, -0.1), .smooth(0.1, -0.26), .smooth(0.46, 0.26),
        .smooth(0.14, 0.9), .smooth(-0.5, 0.84),
      ])
    ],
    [
      .open([
        .smooth(0.52, -0.88), .smooth(0.02, -0.96), .smooth(-0.4, -0.62), .smooth(-0.1, -0.16), .smooth(0.34, 0.2),
        .smooth(0.3, 0.76), .smooth(-0.1, 1), .smooth(-0.5, 0.78),
      ])
    ],
  ]

  private static let six: [[Pen]] = [
    [
      .open([
        .smooth(0.36, -0.94), .smooth(-0.18, -0.52), .smooth(-0.5, 0.2), .smooth(-0.32, 0.84), .smooth(0.1, 1),
        .smooth(0.46, 0.64), .smooth(0.28, 0.16), .smooth(-0.12, 0.12), .smooth(-0.44, 0.42),
      ])
    ],
    [
      .open([
        .smooth(0.06, -1), .smooth(-0.3, -0.3), .smooth(-0.44, 0.46), .smooth(-0.16, 0.96), .smooth(0.3, 0.9),
        .smooth(0.44, 0.5), .smooth(0.18, 0.18), .smooth(-0.2, 0.28), .smooth(-0.4, 0.62),
      ])
    ],
  ]

  private static let seven: [[Pen]] = [
    [.open([.sharp(-0.52, -0.9), .sharp(0.5, -0.92), .sharp(-0.1, 1)])],
    [
      .open([.sharp(-0.52, -0.9), .sharp(0.5, -0.92), .sharp(-0.1, 1)]),
      .open([.sharp(-0.28, 0.06), .sharp(0.42, 0.02)]),
    ],
    [
      .open([
        .sharp(-0.52, -0.56), .sharp(-0.46, -0.92), .sharp(0.5, -0.94), .smooth(0.2, -0.2), .smooth(0, 0.4),
        .smooth(-0.06, 1),
      ])
    ],
  ]

  private static let eight: [[Pen]] = [
    [
      .closed([
        .smooth(0.38, -0.68), .smooth(0.02, -1), .smooth(-0.38, -0.66), .smooth(-0.08, -0.16), .smooth(0.36, 0.32),
        .smooth(0.36, 0.8), .smooth(-0.04, 1), .smooth(-0.42, 0.72), .smooth(-0.32, 0.24), .smooth(0.08, -0.16),
      ])
    ],
    [
      .closed([
        .smooth(0, -1), .smooth(-0.34, -0.8), .smooth(-0.36, -0.38), .smooth(0, -0.08), .smooth(0.36, -0.38),
        .smooth(0.34, -0.8),
      ]),
      .closed([
        .smooth(0, -0.08), .smooth(-0.42, 0.24), .smooth(-0.46, 0.7), .smooth(0, 1), .smooth(0.46, 0.7),
        .smooth(0.42, 0.24),
      ]),
    ],
    [
      .open([
        .smooth(0.44, -0.84), .smooth(0.02, -1), .smooth(-0.38, -0.66), .smooth(-0.02, -0.14), .smooth(0.4, 0.36),
        .smooth(0.28, 0.86), .smooth(-0.12, 0.98), .smooth(-0.42, 0.68), .smooth(-0.22, 0.16), .smooth(0.16, -0.3),
        .smooth(0.5, -0.76),
      ])
    ],
  ]

  private static let nine: [[Pen]] = [
    [
      .open([
        .smooth(0.4, -0.66), .smooth(0.08, -1), .smooth(-0.36, -0.78), .smooth(-0.42, -0.34), .smooth(-0.1, -0.1),
        .smooth(0.26, -0.32), .sharp(0.42, -0.76), .sharp(0.36, 1),
      ])
    ],
    [
      .open([
        .smooth(0.4, -0.66), .smooth(0.08, -1), .smooth(-0.36, -0.78), .smooth(-0.42, -0.34), .smooth(-0.1, -0.1),
        .smooth(0.26, -0.32), .sharp(0.42, -0.78), .smooth(0.44, 0), .smooth(0.24, 0.76), .smooth(-0.1, 1),
        .smooth(-0.44, 0.8),
      ])
    ],
    [
      .open([
        .smooth(0.36, -0.8), .smooth(-0.02, -1), .smooth(-0.42, -0.66), .smooth(-0.24, -0.16), .smooth(0.16, -0.22),
        .sharp(0.42, -0.72), .smooth(0.22, 0.2), .smooth(-0.06, 1),
      ])
    ],
  ]
}
