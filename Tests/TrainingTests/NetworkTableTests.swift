import Datasets
import NeuralNetwork
import Testing

@testable import Configuration
@testable import Training

@Suite struct NetworkTableTests {
  private func table(_ sizes: [Int], interval: Int = 64, strides: [Int]? = nil) throws -> NetworkTable {
    var settings = Settings()
    settings.model.filters = sizes.map { _ in 8 }
    settings.model.filterSizes = sizes
    settings.model.paddings = sizes.map { $0 / 2 }
    settings.model.strides = strides ?? sizes.map { _ in 1 }
    settings.model.poolingInterval = interval
    return NetworkTable(try settings.makeNetwork(for: ImageShape(channels: 1, height: 28, width: 28)))
  }

  @Test func smallFiltersSeeAsMuchAsALargeOne() throws {
    #expect(try table([3, 3]).receptiveField == 5)
    #expect(try table([5]).receptiveField == 5)
    #expect(try table([3, 3, 3]).receptiveField == 7)
    #expect(try table([7]).receptiveField == 7)
  }

  /// Behind a pooling or a stride a filter spans twice as many pixels.
  @Test func stridesWidenWhatFollows() throws {
    #expect(try table([3, 3], interval: 1).receptiveField == 3 + 1 + 2 * 2 + 2)
    #expect(try table([3, 3], strides: [2, 1]).receptiveField == 3 + 2 * 2)
  }

  /// What an output sees, found by following it back, pixel by pixel.
  @Test(arguments: [([3, 3], 64), ([5, 3], 64), ([3, 3], 1), ([3, 3, 3], 2)])
  func theReceptiveFieldIsWhatChangesAnOutput(sizes: [Int], interval: Int) throws {
    let table = try table(sizes, interval: interval)
    var seen: Set<Int> = [0]
    var depth = sizes.count
    for size in sizes.reversed() {
      if depth % interval == 0 { seen = Set(seen.flatMap { [2 * $0, 2 * $0 + 1] }) }
      seen = Set(seen.flatMap { place in (-(size / 2)...size / 2).map { place + $0 } })
      depth -= 1
    }
    #expect(table.receptiveField == seen.count)
  }

  @Test func theBooksNetwork() throws {
    let network = try Settings().makeNetwork(for: ImageShape(channels: 1, height: 28, width: 28))
    let table = NetworkTable(network)
    #expect(table.parameters == 123_552)
    #expect(table.rows[0].operations == 2 * 28 * 28 * 16 * 9)
    #expect(table.rows[0].output == FeatureShape(channels: 16, height: 28, width: 28))
    #expect(table.rows.filter { $0.layer.hasPrefix("pooling") }.map(\.output.height) == [14, 8, 4])
    #expect(table.lines.count == table.rows.count + 3)
  }
}
