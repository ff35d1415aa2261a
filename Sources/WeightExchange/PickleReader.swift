import Checkpoints

/// Reads a Python pickle of a dict of NumPy arrays, of protocol 0 to 5, and runs no code.
///
/// It knows the instructions with which NumPy's arrays are written, and the five names that these need. A pickle may ask
/// Python to import and call anything; here whatever is not known is an error that says what and where.
///
/// Source: the comments of Python's Lib/pickletools.py; `ndarray.__reduce_ex__` of NumPy.
struct PickleReader {
  var cursor: ByteCursor
  var objects: PickleObjects
  var stack: [PickleObjects.Reference] = []
  /// The height of the stack at each mark.
  private var marks: [Int] = []
  private var memo: [Int: PickleObjects.Reference] = [:]
  /// Where the present instruction stands.
  private var place = 0

  /// The arrays of a pickle, in its order.
  static func arrays(in bytes: [UInt8]) throws(FormatProblem) -> [Tensor] {
    var reader = PickleReader(bytes)
    let root = try reader.run()
    return try reader.tensors(of: root)
  }

  private init(_ bytes: [UInt8]) {
    cursor = ByteCursor(bytes)
    objects = PickleObjects(file: bytes)
  }

  func problem(_ reason: String) -> FormatProblem { FormatProblem(reason, at: place) }

  // MARK: - Instructions

  private mutating func run() throws(FormatProblem) -> PickleObjects.Reference {
    while true {
      place = cursor.offset
      guard cursor.remaining > 0 else { throw problem("the pickle ends before its last instruction") }
      let instruction = try cursor.byte()
      if instruction == UInt8(ascii: ".") {
        guard cursor.remaining == 0 else { throw problem("\(cursor.remaining) bytes stand behind the pickle's end") }
        return try pop()
      }
      if try read(value: instruction) { continue }
      if try handle(memo: instruction) { continue }
      if try build(instruction) { continue }
      let shown = instruction > 0x20 && instruction < 0x7f ? " (\(Unicode.Scalar(instruction)))" : ""
      throw problem(
        "the instruction 0x\(String(instruction, radix: 16))\(shown) is none that a dict of arrays needs")
    }
  }

  /// The instructions that push one value.
  private mutating func read(value instruction: UInt8) throws(FormatProblem) -> Bool {
    switch instruction {
    case UInt8(ascii: "N"): push(.none)
    case 0x88: push(.integer(1))
    case 0x89: push(.integer(0))
    case UInt8(ascii: "J"): push(.integer(Int(try cursor.integer(Int32.self))))
    case UInt8(ascii: "K"): push(.integer(Int(try cursor.integer(UInt8.self))))
    case UInt8(ascii: "M"): push(.integer(Int(try cursor.integer(UInt16.self))))
    case UInt8(ascii: "I"), UInt8(ascii: "L"): push(.integer(try decimal()))
    case 0x8a: push(.integer(try long(cursor.length(UInt8.self))))
    case UInt8(ascii: "C"), UInt8(ascii: "U"): push(.bytes(try cursor.skip(cursor.length(UInt8.self))))
    case UInt8(ascii: "B"): push(.bytes(try cursor.skip(cursor.length(UInt32.self))))
    case UInt8(ascii: "T"): push(.bytes(try cursor.skip(cursor.length(Int32.self))))
    case 0x8e, 0x96: push(.bytes(try cursor.skip(cursor.length(UInt64.self))))
    case UInt8(ascii: "S"): push(.text(try cursor.line(), .literal))
    case UInt8(ascii: "V"): push(.text(try cursor.line(), .rawUnicodeEscape))
    case 0x8c: push(.text(try cursor.skip(cursor.length(UInt8.self)), .utf8))
    case UInt8(ascii: "X"): push(.text(try cursor.skip(cursor.length(UInt32.self)), .utf8))
    case 0x8d: push(.text(try cursor.skip(cursor.length(UInt64.self)), .utf8))
    default: return false
    }
    return true
  }

  /// The instructions of protocol, stack and memo.
  private mutating func handle(memo instruction: UInt8) throws(FormatProblem) -> Bool {
    switch instruction {
    case 0x80:
      let version = try cursor.byte()
      guard version <= 5 else { throw problem("the pickle's protocol is \(version), and 0 to 5 are read") }
    case 0x95: _ = try cursor.length(UInt64.self)
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"): stack.append(try top())
    case UInt8(ascii: "p"): memo[try decimal()] = try top()
    case UInt8(ascii: "q"): memo[Int(try cursor.integer(UInt8.self))] = try top()
    case UInt8(ascii: "r"): memo[Int(try cursor.integer(UInt32.self))] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "g"): try pushMemo(decimal())
    case UInt8(ascii: "h"): try pushMemo(Int(cursor.integer(UInt8.self)))
    case UInt8(ascii: "j"): try pushMemo(Int(cursor.integer(UInt32.self)))
    default: return false
    }
    return true
  }

  /// The instructions that make one object of others.
  private mutating func build(_ instruction: UInt8) throws(FormatProblem) -> Bool {
    switch instruction {
    case UInt8(ascii: ")"): push(.tuple([]))
    case UInt8(ascii: "t"): push(.tuple(try popToMark()))
    case 0x85...0x87:
      var elements: [PickleObjects.Reference] = []
      for _ in 0..<instruction - 0x84 { elements.append(try pop()) }
      push(.tuple(elements.reversed()))
    case UInt8(ascii: "}"): stack.append(objects.addDictionary())
    case UInt8(ascii: "d"):
      let elements = try popToMark()
      stack.append(objects.addDictionary())
      try addEntries(elements)
    case UInt8(ascii: "s"):
      let value = try pop()
      try addEntries([pop(), value])
    case UInt8(ascii: "u"): try addEntries(popToMark())
    case UInt8(ascii: "c"):
      let (module, name) = (try cursor.line(), try cursor.line())
      try pushGlobal(
        String(decoding: cursor.bytes[module], as: UTF8.self), String(decoding: cursor.bytes[name], as: UTF8.self))
    case 0x93:
      let (name, module) = (try pop(), try pop())
      guard let name = objects.name(name), let module = objects.name(module) else {
        throw problem("the name of what to import is no text")
      }
      try pushGlobal(module, name)
    case UInt8(ascii: "R"):
      let arguments = try pop()
      try reduce(pop(), arguments)
    case UInt8(ascii: "b"):
      let state = try pop()
      try setState(of: top(), state)
    default: return false
    }
    return true
  }

  // MARK: - Stack

  mutating func push(_ object: PickleObjects.Object) { stack.append(objects.add(object)) }

  /// Nothing below the last mark can be reached.
  private func top() throws(FormatProblem) -> PickleObjects.Reference {
    guard let last = stack.last, stack.count > marks.last ?? 0 else {
      throw problem("an instruction finds nothing on the stack")
    }
    return last
  }

  private mutating func pop() throws(FormatProblem) -> PickleObjects.Reference {
    let last = try top()
    stack.removeLast()
    return last
  }

  private mutating func popToMark() throws(FormatProblem) -> [PickleObjects.Reference] {
    guard let mark = marks.popLast() else { throw problem("an instruction finds no mark on the stack") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private mutating func pushMemo(_ index: Int) throws(FormatProblem) {
    guard let reference = memo[index] else { throw problem("nothing was remembered under the number \(index)") }
    stack.append(reference)
  }

  private mutating func pushGlobal(_ module: String, _ name: String) throws(FormatProblem) {
    guard let global = PickleObjects.Global(module: module, name: name) else {
      throw problem(
        "the pickle asks for \(printable(module)).\(printable(name)), which a dict of arrays does not need; nothing of "
          + "it was run")
    }
    push(.global(global))
  }

  private mutating func addEntries(_ elements: [PickleObjects.Reference]) throws(FormatProblem) {
    guard case .dictionary(let dictionary) = objects[try top()] else {
      throw problem("entries are set in what is no dict")
    }
    guard elements.count % 2 == 0 else { throw problem("a key of a dict has no value") }
    for index in stride(from: 0, to: elements.count, by: 2) {
      objects.addEntry(elements[index], elements[index + 1], to: dictionary)
    }
  }

  // MARK: - Numbers

  /// A line of decimal digits, with Python's L at the end of a long one.
  private mutating func decimal() throws(FormatProblem) -> Int {
    let line = cursor.bytes[try cursor.line()]
    let digits = line.last == UInt8(ascii: "L") ? line.dropLast() : line
    guard digits.count <= 20, let value = Int(String(decoding: digits, as: UTF8.self)) else {
      throw problem("an integer is none, or too large")
    }
    return value
  }

  /// A little-endian integer in two's complement of any length.
  private mutating func long(_ length: Int) throws(FormatProblem) -> Int {
    guard length <= 8 else { throw problem("an integer has \(length) bytes") }
    let bytes = cursor.bytes[try cursor.skip(length)]
    guard let last = bytes.last else { return 0 }
    return bytes.reversed().reduce(last & 0x80 == 0 ? 0 : -1) { $0 << 8 | Int($1) }
  }
}
