import Optimizers
import Testing

@Suite struct LambTests {
  /// Against the paper's formulas in double, over tensors whose lengths are no multiple of a vector's; one begins at 0.
  @Test(arguments: [0, 0.1]) func isItsFormulas(weightDecay: Double) {
    let tensors = [0..<13, 13..<14, 14..<30]
    let count = 32
    var settings = Lamb.Settings()
    settings.weightDecay = weightDecay
    let lamb = Lamb(settings: settings, tensors: tensors, count: count)
    var parameters = (0..<count).map { tensors[1].contains($0) || $0 >= 30 ? Float(0) : Float($0) / 10 - 1 }
    var expected = parameters.map { Double($0) }
    var (m, v) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    for step in 1...50 {
      let gradients = (0..<count).map { $0 < 30 ? Float(($0 * 7 + step * 13) % 23) / 10 - 1.1 : 0 }
      parameters.withUnsafeMutableBufferPointer { parameters in
        lamb.update(
          step: step, parameters: parameters.baseAddress.unsafelyUnwrapped, gradients: gradients, learningRate: 0.01,
          gradientScale: 0.5)
      }
      var (first, second) = (1.0, 1.0)
      for _ in 0..<step { (first, second) = (first * 0.9, second * 0.999) }
      for tensor in tensors {
        var direction: [Double] = []
        for i in tensor {
          let g = 0.5 * Double(gradients[i])
          m[i] += (1 - 0.9) * (g - m[i])
          v[i] += (1 - 0.999) * (g * g - v[i])
          direction.append(
            m[i] / (1 - first) / ((v[i] / (1 - second)).squareRoot() + 1e-7) + weightDecay * expected[i])
        }
        let weights = tensor.reduce(0) { $0 + expected[$1] * expected[$1] }.squareRoot()
        let length = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let ratio = weights > 0 && length > 0 ? weights / length : 1
        for (i, r) in zip(tensor, direction) { expected[i] -= 0.01 * ratio * r }
      }
    }
    for i in 0..<30 { #expect(abs(Double(parameters[i]) - expected[i]) <= 2e-5) }
    #expect(parameters[30] == 0 && parameters[31] == 0)
  }

  /// Twice the weights and half the gradients go the same way, twice as far.
  @Test func theStepIsInProportionToTheWeights() {
    func moved(scale: Float) -> [Float] {
      let lamb = Lamb(tensors: [0..<8], count: 8)
      var parameters = (1...8).map { Float($0) * scale }
      let before = parameters
      let gradients = (1...8).map { Float(9 - $0) / scale }
      parameters.withUnsafeMutableBufferPointer {
        lamb.update(
          step: 1, parameters: $0.baseAddress.unsafelyUnwrapped, gradients: gradients, learningRate: 0.1,
          gradientScale: 1)
      }
      return zip(parameters, before).map { ($0 - $1) / scale }
    }
    for (one, two) in zip(moved(scale: 1), moved(scale: 2)) { #expect(abs(one - two) < 1e-5 && one < 0) }
  }
}
