@testable import Datasets

private let file = ScratchFile("idx")

private func read(_ bytes: [UInt8], _ role: IDXRole) -> IDXFile? {
  file.write(bytes)
  return try? IDXFile(file.path, role: role, placement: .privateMemory)
}

/// idx files, plain and compressed: what is accepted has exactly the elements that its header says.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzIDX(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = input(start, count)
  for role in [IDXRole.images, .labels] {
    guard let idx = read(bytes, role) else { continue }
    require(idx.elements.count == idx.header.dimensions.reduce(1, *), "as many elements as the dimensions say")
    var sum = 0
    for element in idx.elements { sum &+= Int(element) }
    require(sum >= 0, "every element can be read")
    let isCompressed = bytes.starts(with: [0x1F, 0x8B])
    require(isCompressed || idx.header.fileByteCount == bytes.count, "no byte is left over")
    require(idx.elements.count <= 1032 * bytes.count + 1032, "no more memory than the file explains")
    for neighbour in neighbours(bytes) { require(read(neighbour, role) == nil, "files are whole") }
  }
  return 0
}
