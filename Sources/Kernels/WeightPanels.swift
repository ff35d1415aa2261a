// Between the parameters as the book shapes them, [output channel][input channel][tap], and panels with eight
// channels innermost, which the kernels read.

private typealias Vector = SIMD8<Float>

@inline(__always)
private func load(_ pointer: UnsafePointer<Float>, _ offset: Int) -> Vector {
  UnsafeRawPointer(pointer + offset).loadUnaligned(as: Vector.self)
}

@inline(__always)
private func store(_ value: Vector, _ pointer: UnsafeMutablePointer<Float>, _ offset: Int) {
  UnsafeMutableRawPointer(pointer + offset).storeBytes(of: value, as: Vector.self)
}

/// Eight vectors as the rows of a matrix, transposed.
@inline(__always)
private func transpose(
  _ r0: Vector, _ r1: Vector, _ r2: Vector, _ r3: Vector, _ r4: Vector, _ r5: Vector, _ r6: Vector, _ r7: Vector
) -> (Vector, Vector, Vector, Vector, Vector, Vector, Vector, Vector) {
  @inline(__always)
  func low(_ x: Vector, _ y: Vector) -> Vector { Vector(x[0], y[0], x[1], y[1], x[4], y[4], x[5], y[5]) }
  @inline(__always)
  func high(_ x: Vector, _ y: Vector) -> Vector { Vector(x[2], y[2], x[3], y[3], x[6], y[6], x[7], y[7]) }
  @inline(__always)
  func evenPairs(_ x: Vector, _ y: Vector) -> Vector { Vector(x[0], x[1], y[0], y[1], x[4], x[5], y[4], y[5]) }
  @inline(__always)
  func oddPairs(_ x: Vector, _ y: Vector) -> Vector { Vector(x[2], x[3], y[2], y[3], x[6], x[7], y[6], y[7]) }
  let (a0, a1, a2, a3) = (low(r0, r1), high(r0, r1), low(r2, r3), high(r2, r3))
  let (a4, a5, a6, a7) = (low(r4, r5), high(r4, r5), low(r6, r7), high(r6, r7))
  let (b0, b1, b2, b3) = (evenPairs(a0, a2), oddPairs(a0, a2), evenPairs(a1, a3), oddPairs(a1, a3))
  let (b4, b5, b6, b7) = (evenPairs(a4, a6), oddPairs(a4, a6), evenPairs(a5, a7), oddPairs(a5, a7))
  return (
    Vector(lowHalf: b0.lowHalf, highHalf: b4.lowHalf), Vector(lowHalf: b1.lowHalf, highHalf: b5.lowHalf),
    Vector(lowHalf: b2.lowHalf, highHalf: b6.lowHalf), Vector(lowHalf: b3.lowHalf, highHalf: b7.lowHalf),
    Vector(lowHalf: b0.highHalf, highHalf: b4.highHalf), Vector(lowHalf: b1.highHalf, highHalf: b5.highHalf),
    Vector(lowHalf: b2.highHalf, highHalf: b6.highHalf), Vector(lowHalf: b3.highHalf, highHalf: b7.highHalf)
  )
}

/// Copies an 8x8 matrix, transposed, between rows `sourceStride` and rows `destinationStride` floats apart.
@inline(__always)
private func transposeBlock(
  _ source: UnsafePointer<Float>, _ sourceStride: Int, _ destination: UnsafeMutablePointer<Float>,
  _ destinationStride: Int
) {
  let t = transpose(
    load(source, 0), load(source, sourceStride), load(source, 2 * sourceStride), load(source, 3 * sourceStride),
    load(source, 4 * sourceStride), load(source, 5 * sourceStride), load(source, 6 * sourceStride),
    load(source, 7 * sourceStride))
  store(t.0, destination, 0)
  store(t.1, destination, destinationStride)
  store(t.2, destination, 2 * destinationStride)
  store(t.3, destination, 3 * destinationStride)
  store(t.4, destination, 4 * destinationStride)
  store(t.5, destination, 5 * destinationStride)
  store(t.6, destination, 6 * destinationStride)
  store(t.7, destination, 7 * destinationStride)
}

/// A matrix of rows to panels of eight rows: panels[row / 8][column][row % 8] = matrix[row][column].
///
/// - Parameters:
///   - matrix: [rows][columns].
///   - rows: any number; the rest of the last panel is zero.
///   - panels: [⌈rows / 8⌉][columns][8], `panelStride` floats apart.
public func packRows(
  _ matrix: UnsafePointer<Float>, rows: Int, columns: Int, panels: UnsafeMutablePointer<Float>, panelStride: Int
) {
  for panel in 0..<((rows + 7) / 8) {
    let source = matrix + panel * 8 * columns
    let destination = panels + panel * panelStride
    let present = min(8, rows - panel * 8)
    var column = 0
    if present == 8 {
      while column + 8 <= columns {
        transposeBlock(source + column, columns, destination + column * 8, 8)
        column += 8
      }
    }
    while column < columns {
      for row in 0..<8 {
        destination[column * 8 + row] = row < present ? source[row * columns + column] : 0
      }
      column += 1
    }
  }
}

/// Panels of eight rows back to a matrix of rows, `rowStride` floats apart (next to each other where nil is given); the
/// inverse of `packRows`.
public func unpackRows(
  _ panels: UnsafePointer<Float>, panelStride: Int, rows: Int, columns: Int, matrix: UnsafeMutablePointer<Float>,
  rowStride: Int? = nil
) {
  let rowStride = rowStride ?? columns
  for panel in 0..<((rows + 7) / 8) {
    let source = panels + panel * panelStride
    let destination = matrix + panel * 8 * rowStride
    let present = min(8, rows - panel * 8)
    var column = 0
    if present == 8 {
      while column + 8 <= columns {
        transposeBlock(source + column * 8, 8, destination + column, rowStride)
        column += 8
      }
    }
    while column < columns {
      for row in 0..<present { destination[row * rowStride + column] = source[column * 8 + row] }
      column += 1
    }
  }
}

/// Panels of eight output channels to panels of eight input channels, for the gradient of a convolution's input:
/// transposed[c / 8][o][tap][c % 8] = panels[o / 8][c][tap][o % 8].
///
/// - Parameters:
///   - panels: [⌈outputChannels / 8⌉][inputChannels][taps][8].
///   - transposed: [⌈inputChannels / 8⌉][outputChannels][taps][8]; lanes beyond the last input channel are zero.
public func transposePanels(
  _ panels: UnsafePointer<Float>, inputChannels: Int, outputChannels: Int, taps: Int,
  transposed: UnsafeMutablePointer<Float>
) {
  for outputBlock in 0..<((outputChannels + 7) / 8) {
    let outputs = min(8, outputChannels - outputBlock * 8)
    for inputBlock in 0..<((inputChannels + 7) / 8) {
      let inputs = min(8, inputChannels - inputBlock * 8)
      for tap in 0..<taps {
        let source = panels + ((outputBlock * inputChannels + inputBlock * 8) * taps + tap) * 8
        let destination = transposed + ((inputBlock * outputChannels + outputBlock * 8) * taps + tap) * 8
        if inputs == 8 && outputs == 8 {
          transposeBlock(source, taps * 8, destination, taps * 8)
        } else {
          for output in 0..<outputs {
            for input in 0..<8 {
              destination[output * taps * 8 + input] = input < inputs ? source[input * taps * 8 + output] : 0
            }
          }
        }
      }
    }
  }
}

/// An affine layer's matrix in the form of its two products.
///
/// - Parameters:
///   - matrix: [inputs][outputs], row-major.
///   - rows: for each input k of the kernels' order, its row in `matrix`; −1 for a lane of no channel.
///   - weights: [outputBlocks][inputs][8].
///   - transposed: [inputBlocks][outputs][8 inputs].
public func packAffineWeights(
  _ shape: AffineShape, matrix: UnsafePointer<Float>, rows: UnsafePointer<Int32>,
  weights: UnsafeMutablePointer<Float>, transposed: UnsafeMutablePointer<Float>
) {
  for input in 0..<shape.inputs {
    let row = Int(rows[input])
    for block in 0..<shape.outputBlocks {
      let target = weights + (block * shape.inputs + input) * 8
      if row >= 0 && block * 8 + 8 <= shape.outputs {
        store(load(matrix, row * shape.outputs + block * 8), target, 0)
      } else {
        for i in 0..<8 {
          let output = block * 8 + i
          target[i] = row >= 0 && output < shape.outputs ? matrix[row * shape.outputs + output] : 0
        }
      }
    }
  }
  for block in 0..<shape.inputBlocks {
    packTransposed(shape, matrix, rows + block * 8, transposed + block * shape.outputs * 8)
  }
}

/// One block of eight inputs for the gradient of the input.
@inline(__always)
private func packTransposed(
  _ shape: AffineShape, _ matrix: UnsafePointer<Float>, _ rows: UnsafePointer<Int32>,
  _ transposed: UnsafeMutablePointer<Float>
) {
  // Eight channels at one pixel: their rows are equally far apart, unless some channel does not exist.
  let distance = (Int(rows[1]) - Int(rows[0])) * shape.outputs
  var output = 0
  if rows[7] >= 0 {
    while output + 8 <= shape.outputs {
      transposeBlock(matrix + Int(rows[0]) * shape.outputs + output, distance, transposed + output * 8, 8)
      output += 8
    }
  }
  while output < shape.outputs {
    for lane in 0..<8 {
      transposed[output * 8 + lane] = rows[lane] >= 0 ? matrix[Int(rows[lane]) * shape.outputs + output] : 0
    }
    output += 1
  }
}
