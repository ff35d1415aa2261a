/// What the instructions of a pickle have made so far.
///
/// Objects refer to each other by their number, and to texts and bytes by their place in the file, so that a file can
/// neither nest nor repeat them into more memory than itself.
struct PickleObjects {
  typealias Reference = Int

  enum Object {
    case none
    /// Truth values too.
    case integer(Int)
    case bytes(Range<Int>)
    case text(Range<Int>, TextForm)
    /// A text that stands for the bytes whose values its characters have.
    case latin1(text: Reference)
    case tuple([Reference])
    /// The number of its entries' list.
    case dictionary(Int)
    case global(Global)
    case elementType(NumPyArray.ElementType)
    case array(Array)
  }

  /// How the characters of a text stand in the file.
  enum TextForm {
    case utf8
    /// Python's "raw-unicode-escape": Latin-1 with \uXXXX.
    case rawUnicodeEscape
    /// A literal of Python 2 between quotes.
    case literal
  }

  /// An array, empty until its state is set.
  struct Array {
    var state: (array: NumPyArray, bytes: Reference)?
  }

  /// The functions and types that a pickle of arrays names. None is called: each stands for what is done here.
  enum Global: String {
    case reconstruct = "_reconstruct"
    case fromBuffer = "_frombuffer"
    case ndarray
    case dtype
    case encode

    init?(module: String, name: String) {
      switch (module, name) {
      case ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"): self = .reconstruct
      case ("numpy.core.numeric", "_frombuffer"), ("numpy._core.numeric", "_frombuffer"): self = .fromBuffer
      case ("numpy", "ndarray"): self = .ndarray
      case ("numpy", "dtype"): self = .dtype
      case ("_codecs", "encode"): self = .encode
      default: return nil
      }
    }
  }

  private(set) var objects: [Object] = []
  private(set) var dictionaries: [[(key: Reference, value: Reference)]] = []
  private let file: [UInt8]

  init(file: [UInt8]) { self.file = file }

  subscript(reference: Reference) -> Object {
    get { objects[reference] }
    set { objects[reference] = newValue }
  }

  mutating func add(_ object: Object) -> Reference {
    objects.append(object)
    return objects.count - 1
  }

  mutating func addDictionary() -> Reference {
    dictionaries.append([])
    return add(.dictionary(dictionaries.count - 1))
  }

  mutating func addEntry(_ key: Reference, _ value: Reference, to dictionary: Int) {
    dictionaries[dictionary].append((key, value))
  }

  func integer(_ reference: Reference) -> Int? {
    if case .integer(let value) = objects[reference] { value } else { nil }
  }

  func tuple(_ reference: Reference) -> [Reference]? {
    if case .tuple(let elements) = objects[reference] { elements } else { nil }
  }

  /// The values of a tuple of integers.
  func integers(_ reference: Reference) -> [Int]? {
    guard let elements = tuple(reference), elements.count <= 64 else { return nil }
    let values = elements.compactMap(integer)
    return values.count == elements.count ? values : nil
  }

  /// A text, or bytes that are ASCII as Python 2 writes its texts; nil for what is longer than any name.
  func name(_ reference: Reference) -> String? {
    switch objects[reference] {
    case .bytes(let range) where range.count <= 1024: String(validating: file[range], as: Unicode.ASCII.self)
    case .text(let range, let form) where range.count <= 4096: text(range, form)
    default: nil
    }
  }

  func text(_ range: Range<Int>, _ form: TextForm) -> String? {
    if form == .utf8 { return String(validating: file[range], as: UTF8.self) }
    guard let values = characters(range, form) else { return nil }
    var text = ""
    for value in values {
      guard let scalar = Unicode.Scalar(value) else { return nil }
      text.unicodeScalars.append(scalar)
    }
    return text
  }

  /// How many bytes of the file an object's text or bytes take.
  func size(_ reference: Reference) -> Int {
    switch objects[reference] {
    case .bytes(let range), .text(let range, _): range.count
    case .latin1(let text): size(text)
    default: 0
    }
  }

  /// The bytes that an object stands for, and where they are; nil where it stands for none.
  func contents(_ reference: Reference) -> (bytes: ArraySlice<UInt8>, offset: Int)? {
    switch objects[reference] {
    case .bytes(let range): return (file[range], range.lowerBound)
    case .text(let range, .literal):
      return latin1(range, .literal).map { ($0, range.lowerBound) }
    case .latin1(let text):
      guard case .text(let range, let form) = objects[text] else { return nil }
      return latin1(range, form).map { ($0, range.lowerBound) }
    default: return nil
    }
  }

  private func latin1(_ range: Range<Int>, _ form: TextForm) -> ArraySlice<UInt8>? {
    guard let values = characters(range, form) else { return nil }
    let bytes = values.compactMap { UInt8(exactly: $0) }
    return bytes.count == values.count ? bytes[...] : nil
  }

  /// The characters of a text, as their numbers.
  private func characters(_ range: Range<Int>, _ form: TextForm) -> [UInt32]? {
    let bytes = file[range]
    switch form {
    case .utf8: return String(validating: bytes, as: UTF8.self).map { $0.unicodeScalars.map(\.value) }
    case .rawUnicodeEscape: return PickleText.rawUnicodeEscape(bytes)
    case .literal: return PickleText.literal(bytes)
    }
  }
}

/// The two ways in which protocol 0 writes texts in a line.
enum PickleText {
  /// Latin-1, in which \uXXXX and \UXXXXXXXX stand for other characters.
  static func rawUnicodeEscape(_ bytes: ArraySlice<UInt8>) -> [UInt32]? {
    var values: [UInt32] = []
    var rest = bytes
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), let kind = rest.first, let digits = ["u": 4, "U": 8][Unicode.Scalar(kind)] {
        rest.removeFirst()
        guard let value = hexadecimal(&rest, digits) else { return nil }
        values.append(value)
      } else {
        values.append(UInt32(byte))
      }
    }
    return values
  }

  /// A literal of Python 2, its quotes included.
  static func literal(_ bytes: ArraySlice<UInt8>) -> [UInt32]? {
    guard bytes.count >= 2, let quote = bytes.first, quote == bytes.last, quote == 0x27 || quote == 0x22 else {
      return nil
    }
    var values: [UInt32] = []
    var rest = bytes.dropFirst().dropLast()
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        values.append(UInt32(byte))
        continue
      }
      switch rest.popFirst().map({ Unicode.Scalar($0) }) {
      case "x":
        guard let value = hexadecimal(&rest, 2) else { return nil }
        values.append(value)
      case "n": values.append(0x0a)
      case "r": values.append(0x0d)
      case "t": values.append(0x09)
      case "\\": values.append(0x5c)
      case "'": values.append(0x27)
      case "\"": values.append(0x22)
      default: return nil
      }
    }
    return values
  }

  private static func hexadecimal(_ rest: inout ArraySlice<UInt8>, _ digits: Int) -> UInt32? {
    guard rest.count >= digits, rest.prefix(digits).allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit })
    else { return nil }
    defer { rest.removeFirst(digits) }
    return UInt32(String(decoding: rest.prefix(digits), as: UTF8.self), radix: 16)
  }
}
