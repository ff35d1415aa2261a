import Optimizers
import Testing

@Suite struct AdamTests {
  /// A hundred steps against the formulas of the book and of the paper, in double.
  @Test(arguments: [Adam.Form.book, .common], [0, 0.01])
  func isItsFormulas(form: Adam.Form, weightDecay: Double) {
    let count = 32
    var settings = Adam.Settings()
    settings.form = form
    settings.weightDecay = weightDecay
    let adam = Adam(settings: settings, count: count)
    var parameters = (0..<count).map { Float($0) / 10 - 1 }
    var expected = parameters.map { Double($0) }
    var (m, v) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    for step in 1...100 {
      let gradients = (0..<count).map { Float(($0 * 7 + step * 13) % 23) / 10 - 1.1 }
      parameters.withUnsafeMutableBufferPointer { parameters in
        adam.update(
          step: step, parameters: parameters.baseAddress.unsafelyUnwrapped, gradients: gradients, learningRate: 0.01,
          gradientScale: 1)
      }
      var first = 1.0
      var second = 1.0
      for _ in 0..<step {
        first *= 0.9
        second *= 0.999
      }
      for i in 0..<count {
        let g = Double(gradients[i])
        m[i] += (1 - 0.9) * (g - m[i])
        v[i] += (1 - 0.999) * (g * g - v[i])
        expected[i] -= 0.01 * weightDecay * expected[i]
        switch form {
        case .book:
          let rate = 0.01 * (1 - second).squareRoot() / (1 - first)
          expected[i] -= rate * m[i] / (v[i].squareRoot() + 1e-7)
        case .common:
          expected[i] -= 0.01 * (m[i] / (1 - first)) / ((v[i] / (1 - second)).squareRoot() + 1e-7)
        }
      }
    }
    for i in 0..<count { #expect(abs(Double(parameters[i]) - expected[i]) <= 2e-5) }
  }
}
