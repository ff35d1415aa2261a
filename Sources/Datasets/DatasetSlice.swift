/// A run of a data set's samples as a data set of its own, counted from 0.
public struct DatasetSlice: Dataset {
  public let name: String
  public var origin: String { whole.origin }
  public var files: [String] { whole.files }
  public var count: Int { range.count }
  public var imageShape: ImageShape { whole.imageShape }
  public var classCount: Int { whole.classCount }
  private let whole: any Dataset
  private let range: Range<Int>

  /// - Parameter range: within the whole's indices.
  public init(_ whole: any Dataset, _ range: Range<Int>, name: String? = nil) {
    precondition(range.lowerBound >= 0 && range.upperBound <= whole.count)
    self.whole = whole
    self.range = range
    self.name = name ?? whole.name
  }

  public func read(_ index: Int, into pixels: UnsafeMutablePointer<UInt8>) -> Int {
    precondition(index >= 0 && index < range.count)
    return whole.read(range.lowerBound + index, into: pixels)
  }

  public func prefetch(_ index: Int) {
    precondition(index >= 0 && index < range.count)
    whole.prefetch(range.lowerBound + index)
  }
}
