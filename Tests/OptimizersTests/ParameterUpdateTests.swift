import Optimizers
import Testing

/// Gradients that change from step to step and from parameter to parameter.
private func gradients(_ step: Int, _ count: Int) -> [Float] {
  (0..<count).map { Float(($0 * 7 + step * 13) % 23) / 10 - 1.1 }
}

private let count = 32
private let start = (0..<count).map { Float($0) / 10 - 1 }

@Suite struct StochasticGradientDescentTests {
  /// A hundred steps against the formulas in double.
  @Test(arguments: [0, 0.9], [false, true])
  func isItsFormulas(momentum: Double, isNesterov: Bool) {
    var settings = StochasticGradientDescent.Settings()
    settings.momentum = momentum
    settings.isNesterov = isNesterov
    settings.weightDecay = 0.02
    let descent = StochasticGradientDescent(settings: settings, count: count)
    var parameters = start
    var expected = start.map { Double($0) }
    var velocity = [Double](repeating: 0, count: count)
    for step in 1...100 {
      let (gradients, rate) = (gradients(step, count), 0.05 / Double(step))
      parameters.withUnsafeMutableBufferPointer { parameters in
        descent.update(
          step: step, parameters: parameters.baseAddress.unsafelyUnwrapped, gradients: gradients, learningRate: rate,
          gradientScale: 0.5)
      }
      for i in 0..<count {
        let g = Double(gradients[i]) * 0.5
        velocity[i] = momentum * velocity[i] + g
        expected[i] -= rate * 0.02 * expected[i]
        expected[i] -= rate * (isNesterov ? g + momentum * velocity[i] : velocity[i])
      }
    }
    for i in 0..<count { #expect(abs(Double(parameters[i]) - expected[i]) <= 1e-5) }
    #expect(descent.states.map(\.name) == ["velocity"])
  }
}

@Suite struct ParameterUpdateTests {
  private func update(clipNorm: Double = 0, averageDecay: Double = 0) -> ParameterUpdate {
    var settings = StochasticGradientDescent.Settings()
    settings.momentum = 0
    var schedule = LearningRateSchedule()
    schedule.peak = 0.1
    return ParameterUpdate(
      optimizer: StochasticGradientDescent(settings: settings, count: count), learningRate: schedule, stepsPerEpoch: 10,
      clipNorm: clipNorm, averageDecay: averageDecay, count: count - 3, paddedCount: count)
  }

  private func apply(_ update: ParameterUpdate, step: Int, to parameters: inout [Float], _ gradients: [Float]) {
    parameters.withUnsafeMutableBufferPointer { parameters in
      update.apply(step: step, parameters: parameters.baseAddress.unsafelyUnwrapped, gradients: gradients)
    }
  }

  @Test(arguments: [0.5, 3, 1000]) func aGradientIsScaledDownToTheNorm(limit: Double) {
    // What lies behind the last parameter does not count.
    let gradients = gradients(1, count).enumerated().map { $0 < count - 3 ? $1 : 1000 }
    let norm = gradients.prefix(count - 3).reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    #expect(norm > 3 && norm < 1000)
    var parameters = start
    apply(update(clipNorm: limit), step: 1, to: &parameters, gradients)
    for i in 0..<count - 3 {
      let expected = Double(start[i]) - 0.1 * Double(gradients[i]) * min(1, limit / norm)
      #expect(abs(Double(parameters[i]) - expected) <= 1e-6)
    }
  }

  /// Two slices, each with a rule and an average of its own, come to what one has come to.
  @Test func slicesComeToTheSame() {
    func update(_ slice: Range<Int>?) -> ParameterUpdate {
      ParameterUpdate(
        optimizer: Adam(count: slice?.count ?? count), learningRate: LearningRateSchedule(), stepsPerEpoch: 10,
        clipNorm: 0.5, averageDecay: 0.9, count: count - 3, paddedCount: count, slice: slice)
    }
    let whole = update(nil)
    let slices = [update(0..<16), update(16..<count)]
    var (parameters, sliced) = (start, start)
    for update in [whole] + slices { update.startAverage(from: start) }
    for step in 1...20 {
      let gradients = gradients(step, count)
      apply(whole, step: step, to: &parameters, gradients)
      let norm = gradients.prefix(count - 3).reduce(0.0) { $0 + Double($1) * Double($1) }
      for slice in slices {
        sliced.withUnsafeMutableBufferPointer { sliced in
          slice.apply(
            step: step, parameters: sliced.baseAddress.unsafelyUnwrapped, gradients: gradients,
            squaredGradientNorm: norm)
        }
      }
    }
    func exchange(_ updates: [ParameterUpdate], _ values: inout [Float]) {
      values.withUnsafeMutableBufferPointer { values in
        for update in updates { update.exchangeAverage(with: values.baseAddress.unsafelyUnwrapped) }
      }
    }
    for _ in 0..<2 {
      for index in 0..<count { #expect(abs(parameters[index] - sliced[index]) <= 1e-6) }
      exchange([whole], &parameters)
      exchange(slices, &sliced)
    }
    #expect(slices.map { $0.states.map(\.count) } == [[16, 16, 16], [16, 16, 16]])
  }

  @Test func theAverageFollowsTheWeights() {
    let update = update(averageDecay: 0.9)
    var parameters = start
    update.average?.start(from: start)
    var expected = start.map { Double($0) }
    for step in 1...200 {
      apply(update, step: step, to: &parameters, gradients(step, count))
      let decay = min(0.9, (1 + Double(step)) / (10 + Double(step)))
      for i in 0..<count { expected[i] = decay * expected[i] + (1 - decay) * Double(parameters[i]) }
    }
    #expect(update.states.map(\.name) == ["velocity", "average"])
    let average = update.states[1].values
    for i in 0..<count { #expect(abs(Double(average[i]) - expected[i]) <= 1e-5) }
    // Exchanged twice, both are what they were.
    let before = (parameters, (0..<count).map { average[$0] })
    parameters.withUnsafeMutableBufferPointer { update.average?.exchange(with: $0.baseAddress.unsafelyUnwrapped) }
    #expect(parameters == before.1)
    #expect((0..<count).map { average[$0] } == before.0)
  }
}
