import Digests
import Failures

/// The files of a data set as they lie here, beside what its authors have published.
public struct PublishedFiles: Equatable, Sendable {
  /// Where the files are.
  public let folder: String
  /// Files that are whole and yet not the published ones.
  public let others: [String]

  /// Reads the four files of a known data set, compressed or plain, and compares their content.
  ///
  /// - Parameters:
  ///   - name: as in `dataset.name`.
  ///   - path: as in `dataset.path`.
  /// - Returns: nil for a data set that has no files.
  /// - Throws: `.noInput` where a file is missing, `.badData` where a compressed one is damaged, and what the system
  ///   refuses.
  public static func compare(name: String, path: String?) throws(Failure) -> PublishedFiles? {
    guard let source = DatasetCatalog.sources.first(where: { $0.name == name }) as? IDXSource,
      let published = digests[name]
    else { return nil }
    let search = DataSearch(path: path, environment: source.environment)
    var folder = ""
    var others: [String] = []
    for subset in Subset.allCases {
      let files = try search.files(of: name, subset: subset, remedy: source.remedy)
      folder = files.folder
      for (file, role) in [(files.images, IDXRole.images), (files.labels, .labels)] {
        guard try contentDigest(of: file).hexadecimal != published["\(subset) \(role)"] else { continue }
        others.append(file)
      }
    }
    return PublishedFiles(folder: folder, others: others)
  }

  private static func contentDigest(of path: String) throws(Failure) -> Digest {
    let file = try OpenFile(reading: path)
    let isCompressed = try file.bytes(at: 0, count: 2) == GzipReader.magic
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    var hash = SHA256()
    if isCompressed {
      let reader = try GzipReader(file)
      while case let count = try reader.read(into: buffer), count > 0 {
        hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      }
    } else {
      var offset = 0
      while case let count = try file.read(at: offset, into: buffer), count > 0 {
        hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        offset += count
      }
    }
    return hash.finalize()
  }

  /// SHA-256 of each file without its compression, which differs from mirror to mirror. MNIST's are those of the files
  /// whose md5 `launch/fetch-mnist.sh` knows, Fashion-MNIST's of Debian's dataset-fashion-mnist.
  private static let digests = [
    "mnist": [
      "training images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
      "training labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
      "test images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
      "test labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ],
    "fashion-mnist": [
      "training images": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
      "training labels": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
      "test images": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
      "test labels": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ],
  ]
}
