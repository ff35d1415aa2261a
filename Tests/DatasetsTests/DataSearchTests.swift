import Failures
import Foundation
import Testing

@testable import Datasets

@Suite("Finding the files of a data set")
struct DataSearchTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func find(
    _ name: String = "mnist", path: String? = nil, data: String? = nil, _ subset: Subset = .training
  ) throws(Failure) -> DataSearch.Files {
    let search = DataSearch(path: path) { $0 == "DTRAIN_DATA" ? data : nil }
    return try search.files(of: name, subset: subset, remedy: "mend it")
  }

  @Test("looks at dataset.path alone, else at the usual places in their order")
  func order() {
    let usual = ["data", "../shared/data", "/usr/share/datasets"]
    #expect(DataSearch(path: nil) { _ in nil }.places.map(\.path) == usual)
    #expect(DataSearch(path: nil) { $0 == "DTRAIN_DATA" ? "/d" : nil }.places.map(\.path) == ["/d"] + usual)
    #expect(DataSearch(path: "") { _ in nil }.places.map(\.path) == usual)
    #expect(DataSearch(path: "/p") { _ in "/d" }.places.map(\.path) == ["/p"])
    #expect(DataSearch(path: "~/p") { $0 == "HOME" ? "/home/me" : nil }.places.map(\.path) == ["/home/me/p"])
  }

  @Test("takes the files of the place itself or of its folder with the data set's name")
  func bothWays() throws {
    try folder.writeDataset(in: "inside/mnist")
    try folder.writeDataset(in: "direct")
    for subset in Subset.allCases {
      let prefix = subset == .training ? "train" : "t10k"
      let inside = try find(path: folder("inside"), subset)
      #expect(inside.images == folder("inside/mnist/\(prefix)-images-idx3-ubyte.gz"))
      #expect(inside.labels == folder("inside/mnist/\(prefix)-labels-idx1-ubyte.gz"))
      #expect(inside.folder == folder("inside/mnist"))
      #expect(try find(path: folder("direct"), subset).folder == folder("direct"))
      #expect(try find(data: folder("inside"), subset).folder == folder("inside/mnist"))
    }
  }

  @Test("takes the name from a folder that a person pointed at")
  func displayedName() throws {
    try folder.writeDataset(in: "all/fashion-mnist")
    #expect(try find(path: folder("all/fashion-mnist")).name == "fashion-mnist")
    #expect(try find(path: folder("all/fashion-mnist/")).name == "fashion-mnist")
    #expect(try find(data: folder("all/fashion-mnist")).name == "fashion-mnist")
    #expect(try find("fashion-mnist", path: folder("all")).name == "fashion-mnist")
    try folder.writeDataset(in: "all/mnist")
    #expect(try find("fashion-mnist", path: folder("all")).folder == folder("all/fashion-mnist"))
    #expect(try find("mnist", path: folder("all")).name == "mnist")
  }

  @Test("knows the spellings in use", arguments: ["-", "."], ["", ".gz"])
  func spellings(separator: String, suffix: String) throws {
    for (stem, ending) in [("train-images", "idx3-ubyte"), ("train-labels", "idx1-ubyte")] {
      try folder.write("\(stem)\(separator)\(ending)\(suffix)", [1])
    }
    let files = try find(path: folder.path)
    #expect(files.images == folder("train-images\(separator)idx3-ubyte\(suffix)"))
    #expect(files.labels == folder("train-labels\(separator)idx1-ubyte\(suffix)"))
  }

  @Test("prefers a place with both subsets to one with half of them")
  func bothSubsets() throws {
    try folder.writeDataset(in: "mnist")
    for name in try folder.names(in: "mnist") where name.hasPrefix("train") {
      try FileManager.default.removeItem(atPath: folder("mnist/\(name)"))
    }
    // The place itself has all, its folder only the test files.
    try folder.writeDataset(in: ".")
    #expect(try find(path: folder.path, .test).folder == folder.path)
  }

  @Test("does not leave dataset.path for another place")
  func explicit() throws {
    try folder.writeDataset(in: "good/mnist")
    try FileManager.default.createDirectory(atPath: folder("empty"), withIntermediateDirectories: true)
    let found = failure { _ = try find(path: folder("empty"), data: folder("good")) }
    #expect(
      found
        == Failure(
          .noInput,
          "dataset.path (\(folder("empty"))) has no train-images-idx3-ubyte and train-labels-idx1-ubyte (plain or "
            + ".gz), nor has its folder mnist",
          remedy: "mend it"))
    let missing = failure { _ = try find(path: folder("nowhere"), data: folder("good")) }
    #expect(missing == Failure(.noInput, "dataset.path (\(folder("nowhere"))) does not exist", remedy: "mend it"))
    let file = try folder.write("file", [1])
    #expect(failure { _ = try find(path: file) }?.cause == "dataset.path (\(file)) is not a folder")
  }

  @Test("names the one file that is missing")
  func incomplete() throws {
    try folder.write("mnist/t10k-images-idx3-ubyte", [1])
    let found = failure { _ = try find(path: folder.path, .test) }
    #expect(found?.code == .noInput)
    #expect(found?.cause == "\(folder("mnist")) lacks t10k-labels-idx1-ubyte (plain or .gz)")
  }

  @Test("names all places where it looked")
  func nowhere() {
    let found = failure { _ = try find("no-such-set", data: folder.path) }
    #expect(
      found
        == Failure(
          .noInput,
          "no-such-set is not found in DTRAIN_DATA (\(folder.path)), data, ../shared/data or /usr/share/datasets",
          remedy: "mend it"))
  }
}

@Suite("Opening a data set by name")
struct DatasetCatalogTests {
  @Test func unknownName() {
    let found = failure { _ = try DatasetCatalog.open(name: "minst", path: nil, subset: .training) }
    #expect(found?.code == .configuration)
    #expect(found?.cause == "dataset.name: there is no data set \"minst\"")
    #expect(found?.remedy.hasPrefix("use one of mnist, fashion-mnist, synthetic-digits") == true)
  }

  @Test("both remedies are said where MNIST is missing")
  func remedies() throws {
    let folder = try TemporaryFolder()
    let found = failure { _ = try DatasetCatalog.open(name: "mnist", path: folder.path, subset: .training) }
    #expect(found?.code == .noInput)
    #expect(found?.remedy.contains("launch/fetch-mnist.sh") == true)
    #expect(found?.remedy.contains("dataset.name=synthetic-digits") == true)
  }

  @Test func byPath() throws {
    let folder = try TemporaryFolder()
    let (pixels, labels) = try folder.writeDataset(in: "fashion-mnist", count: 20, compressed: false)
    let dataset = try DatasetCatalog.open(
      name: "mnist", path: folder("fashion-mnist"), subset: .training, limit: 15, classCount: 10)
    #expect(dataset.name == "fashion-mnist")
    #expect(dataset.origin == folder("fashion-mnist"))
    #expect(dataset.count == 15)
    #expect(dataset.classCount == 10)
    let tooMany = failure {
      _ = try DatasetCatalog.open(name: "mnist", path: folder("fashion-mnist"), subset: .test, limit: 21)
    }
    #expect(tooMany?.cause.hasPrefix("dataset.test_samples is 21, but \(folder("fashion-mnist"))") == true)
    #expect(dataset.sample(14).label == Int(labels[14]))
    #expect(dataset.sample(14).pixels == Array(pixels[14 * 12..<15 * 12]))
  }

  @Test func syntheticDigits() throws {
    let training = try DatasetCatalog.open(name: "synthetic-digits", path: nil, subset: .training, classCount: 10)
    #expect(training.count == 60_000)
    #expect(training.origin == "drawn by code")
    let test = try DatasetCatalog.open(name: "synthetic-digits", path: nil, subset: .test)
    #expect(test.count == 10_000)
    #expect(try DatasetCatalog.open(name: "synthetic-digits", path: nil, subset: .test, limit: 7).count == 7)
    let narrow = failure {
      _ = try DatasetCatalog.open(name: "synthetic-digits", path: nil, subset: .test, classCount: 9)
    }
    #expect(narrow?.code == .configuration)
  }
}
