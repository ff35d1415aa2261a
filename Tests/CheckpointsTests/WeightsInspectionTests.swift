import Checkpoints
import Failures
import Testing

@Suite struct WeightsInspectionTests {
  @Test func statisticsAreOverTheFiniteValues() {
    let summary = TensorSummary(
      Tensor(name: "W1", shape: [2, 4], values: [1, 2, .nan, 3, .infinity, 4, -.infinity, -5]))
    #expect(summary.count == 8 && summary.nonFinite == 3)
    #expect(summary.statistics?.minimum == -5 && summary.statistics?.maximum == 4)
    #expect(summary.statistics?.mean == 1)
    #expect(summary.statistics?.standardDeviation == 10.0.squareRoot())
  }

  @Test func largeValuesDoNotOverflow() {
    let largest = Float.greatestFiniteMagnitude
    let statistics = TensorSummary(Tensor(name: "x", shape: [3], values: [largest, largest, largest])).statistics
    #expect(statistics?.mean == Double(largest) && statistics?.standardDeviation == 0)
  }

  @Test func nothingHasNoStatistics() {
    #expect(TensorSummary(Tensor(name: "x", shape: [0], values: [])).statistics == nil)
    let summary = TensorSummary(Tensor(name: "x", shape: [2], values: [.nan, .infinity]))
    #expect(summary.statistics == nil && summary.nonFinite == 2)
  }

  @Test func theTableIsAligned() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/weights.safetensors"
    let file = SafetensorsFile(
      weights: [
        Tensor(name: "b1", shape: [3], values: [0.5, -0.25, 1]),
        Tensor(name: "W1", shape: [2, 2, 1, 1], values: [1e-7, 123_456_792, .nan, 0]),
        Tensor(name: "W2\u{1b}[31m", shape: [1], values: [.infinity]),
      ], step: 60, epoch: 2, configuration: "seed: 0\n")
    try file.write(to: path)
    let inspection = try WeightsInspection(of: path)
    #expect(
      inspection.table() == """
        tensor        shape         count    min         max        mean         std  non-finite
        W1            [2, 2, 1, 1]      4      0  1.2346e+08  4.1152e+07  5.8198e+07           1
        b1            [3]               3  -0.25           1     0.41667      0.5137           0
        W2\\u{1B}[31m  [1]               1      -           -           -           -           1
        total                           8                                                      2
        """)
    #expect(inspection.parameterCount == 8 && inspection.nonFinite == 2)
    #expect(inspection.step == 60 && inspection.epoch == 2 && inspection.configuration == "seed: 0\n")
    #expect(inspection.digest == WeightsDigest.of(file.tensors))
  }

  @Test func badFilesAreRefused() throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("x", [1, 2, 3])
    let failure = #expect(throws: Failure.self) { try WeightsInspection(of: file) }
    #expect(failure?.code == .badData)
  }
}
