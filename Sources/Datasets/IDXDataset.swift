import CProcessor
import Failures

/// Labelled images from a pair of idx files (MNIST, Fashion-MNIST and whatever else has their format).
public final class IDXDataset: Dataset, @unchecked Sendable {
  public let name: String
  public let origin: String
  public let files: [String]
  public let count: Int
  public let imageShape: ImageShape
  public let classCount: Int

  private let pixels: UnsafeRawPointer
  private let labels: UnsafePointer<UInt8>
  private let pixelCount: Int
  private let owners: [AnyObject & Sendable]

  /// Opens both files, compressed or plain, and checks them whole.
  ///
  /// - Parameters:
  ///   - images: unsigned bytes, [count, height, width] or [count, channels, height, width].
  ///   - labels: unsigned bytes, [count].
  ///   - name: what a person calls the data set.
  ///   - origin: where the files are, for a person.
  ///   - classCount: labels have to be below it; nil takes the largest label plus one.
  ///   - limit: how many samples are taken, from the first on; 0 takes all.
  /// - Throws: `.noInput`, `.noPermission`, or `.badData` that names the file and the byte or sample;
  ///   `.configuration` where there are fewer than `limit`.
  public convenience init(
    images: String, labels: String, name: String, origin: String, classCount: Int? = nil, limit: Int = 0
  ) throws(Failure) {
    try self.init(
      images: images, labels: labels, name: name, origin: origin, classCount: classCount, limit: limit,
      limitName: "limit", cache: DecompressedCache(environment: environmentValue))
  }

  /// - Parameter limitName: what the limit is called in a message.
  init(
    images imagesPath: String, labels labelsPath: String, name: String, origin: String, classCount: Int?, limit: Int,
    limitName: String, cache: DecompressedCache
  ) throws(Failure) {
    let images = try IDXFile(imagesPath, role: .images, placement: .cache(cache))
    let labels = try IDXFile(labelsPath, role: .labels, placement: .privateMemory)
    let available = images.header.dimensions[0]
    guard labels.header.dimensions[0] == available else {
      throw Failure(
        .badData, "\(imagesPath) has \(available) images but \(labelsPath) has \(labels.header.dimensions[0]) labels",
        remedy: "use files that belong together")
    }
    guard limit >= 0 && limit <= available else {
      throw Failure(
        .configuration, "\(limitName) is \(limit), but \(imagesPath) has \(available) samples",
        remedy: "set it to at most \(available), or to 0 to take all")
    }
    guard let pixels = images.elements.baseAddress, let labelBytes = labels.elements.baseAddress else {
      throw IDXHeader.bad("\(imagesPath) or \(labelsPath) holds nothing")
    }
    self.classCount = try Self.classCount(of: labels, atMost: classCount)
    self.name = name
    files = [imagesPath, labelsPath]
    self.origin = images.isPrivateForLackOfCache ? "\(origin) (a copy in every process: no cache folder)" : origin
    count = limit == 0 ? available : limit
    imageShape = images.header.imageShape
    pixelCount = imageShape.pixelCount
    self.pixels = pixels
    self.labels = labelBytes.assumingMemoryBound(to: UInt8.self)
    owners = [images.owner, labels.owner]
  }

  public func read(_ index: Int, into pixels: UnsafeMutablePointer<UInt8>) -> Int {
    precondition(index >= 0 && index < count)
    UnsafeMutableRawPointer(pixels).copyMemory(from: self.pixels + index * pixelCount, byteCount: pixelCount)
    return Int(labels[index])
  }

  public func prefetch(_ index: Int) {
    precondition(index >= 0 && index < count)
    let sample = pixels + index * pixelCount
    for offset in stride(from: 0, to: pixelCount, by: 64) { dtrain_prefetch(sample + offset) }
    dtrain_prefetch(sample + pixelCount - 1)
    dtrain_prefetch(labels + index)
  }

  private static func classCount(of labels: IDXFile, atMost bound: Int?) throws(Failure) -> Int {
    guard let bound else { return Int(labels.elements.max() ?? 0) + 1 }
    if let index = labels.elements.firstIndex(where: { $0 >= bound }) {
      let label = labels.elements[index]
      throw Failure(
        .badData, "\(labels.path): label \(label) of sample \(index) is out of range, there are \(bound) classes",
        remedy: "repair the file, or set model.output_size to more than \(label)")
    }
    return bound
  }
}
