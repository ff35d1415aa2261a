import Testing

@testable import Kernels

@Suite struct AffineTests {
  @Test(arguments: 0..<30)
  func theThreeProductsStayWithinTheirBounds(seed: Int) {
    var random = TestRandom(seed)
    let inputs = 8 * random.next(1...12)
    let outputs = random.next(1...60)
    let samples = random.next(1...12)
    let shape = AffineShape(
      inputs: inputs, outputs: outputs, inputStride: inputs + 8, outputStride: (outputs + 7) / 8 * 8)
    // A random order of the rows, with the last two lanes of a block belonging to no channel now and then.
    let rowCount = seed % 3 == 0 ? inputs - 2 : inputs
    var rows = (0..<inputs).map { $0 < rowCount ? Int32($0) : -1 }
    let matrix = Memory(rowCount * outputs, random: &random)
    let x = Memory(samples * shape.inputStride, random: &random)
    let d = Memory(samples * shape.outputStride, random: &random)
    let bias = Memory(shape.outputBlocks * 8, random: &random)
    let weights = Memory(shape.outputBlocks * inputs * 8, repeating: 99)
    let transposed = Memory(shape.inputBlocks * outputs * 8, repeating: 99)
    let y = Memory(samples * shape.outputStride, repeating: 99)
    let dx = Memory(samples * shape.inputStride, repeating: 99)
    let dw = Memory(rowCount * outputs, repeating: 99)
    let db = Memory(outputs, repeating: 99)
    let nowhere = Memory(shape.outputBlocks * 8)
    rows.withUnsafeMutableBufferPointer { rows in
      let rows = UnsafePointer(rows.baseAddress.unsafelyUnwrapped)
      packAffineWeights(
        shape, matrix: matrix.pointer, rows: rows, weights: weights.pointer, transposed: transposed.pointer)
      affine(
        shape, samples: samples, inputs: x.pointer, weights: weights.pointer, bias: bias.pointer,
        outputs: y.pointer, rectified: seed % 2 == 0)
      affineInputGradient(
        shape, samples: samples, outputGradients: d.pointer, weights: transposed.pointer,
        inputGradients: dx.pointer)
      affineWeightGradient(
        shape, samples: samples, inputs: x.pointer, outputGradients: d.pointer, rows: rows,
        weightGradients: dw.pointer, biasGradients: db.pointer, nowhere: nowhere.pointer, adding: false)
    }
    func within(_ value: Double, _ terms: [Double], _ count: Int, rectified: Bool = false) -> Bool {
      let sum = terms.reduce(0, +)
      let bound = Double(count) * roundoff * terms.reduce(0) { $0 + abs($1) }
      return abs(value - (rectified ? max(0, sum) : sum)) <= bound
    }
    for n in 0..<samples {
      for j in 0..<outputs {
        let terms = (0..<rowCount).map { x[n * shape.inputStride + $0] * matrix[$0 * outputs + j] } + [bias[j]]
        #expect(within(y[n * shape.outputStride + j], terms, inputs + 1, rectified: seed % 2 == 0))
      }
      for k in 0..<rowCount {
        let terms = (0..<outputs).map { d[n * shape.outputStride + $0] * matrix[k * outputs + $0] }
        #expect(within(dx[n * shape.inputStride + k], terms, outputs))
      }
    }
    for j in 0..<outputs {
      for k in 0..<rowCount {
        let terms = (0..<samples).map { x[$0 * shape.inputStride + k] * d[$0 * shape.outputStride + j] }
        #expect(within(dw[k * outputs + j], terms, samples))
      }
      #expect(within(db[j], (0..<samples).map { d[$0 * shape.outputStride + j] }, samples))
    }
  }
}
