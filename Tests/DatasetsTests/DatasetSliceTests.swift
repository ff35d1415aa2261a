import Datasets
import Testing

@Suite struct DatasetSliceTests {
  @Test func aSliceReadsAndAsksForTheSamplesOfTheWhole() {
    let whole = Recording()
    let slice = DatasetSlice(whole, 20..<50)
    var pixel: UInt8 = 0
    #expect(slice.count == 30)
    #expect(slice.read(3, into: &pixel) == 23)
    #expect(pixel == 23)
    slice.prefetch(7)
    #expect(whole.prefetched == [27])
  }

  /// Sample i is one pixel of value i with label i.
  private final class Recording: Dataset, @unchecked Sendable {
    let name = "recording"
    let origin = "code"
    let count = 100
    let imageShape = ImageShape(channels: 1, height: 1, width: 1)
    let classCount = 100
    private(set) var prefetched: [Int] = []

    func read(_ index: Int, into pixels: UnsafeMutablePointer<UInt8>) -> Int {
      pixels[0] = UInt8(index)
      return index
    }

    func prefetch(_ index: Int) { prefetched.append(index) }
  }
}
