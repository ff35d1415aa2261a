import Checkpoints

/// What the names in a pickle of arrays stand for.
extension PickleReader {
  /// Python's call of what the pickle names.
  mutating func reduce(
    _ callable: PickleObjects.Reference, _ arguments: PickleObjects.Reference
  ) throws(FormatProblem) {
    guard case .global(let global) = objects[callable], let arguments = objects.tuple(arguments) else {
      throw problem("the pickle calls what is none of NumPy's functions")
    }
    switch global {
    case .reconstruct:
      guard arguments.count == 3, case .global(.ndarray) = objects[arguments[0]] else {
        throw wrongArguments(global)
      }
      push(.array(PickleObjects.Array()))
    case .fromBuffer:
      guard arguments.count == 4, case .elementType(let type) = objects[arguments[1]],
        let shape = objects.integers(arguments[2]), let order = objects.name(arguments[3]), "CF".contains(order),
        order.count == 1
      else { throw wrongArguments(global) }
      let array = try NumPyArray(shape: shape, type: type, isFortranOrder: order == "F", offset: offset)
      push(.array(PickleObjects.Array(state: (array, arguments[0]))))
    case .dtype:
      guard arguments.count == 3, let name = objects.name(arguments[0]) else { throw wrongArguments(global) }
      guard let type = NumPyArray.ElementType(name) else {
        throw problem("the elements of an array are \"\(printable(name))\", and only float32 and float64 are read")
      }
      push(.elementType(type))
    case .encode:
      guard arguments.count == 2, case .text = objects[arguments[0]],
        ["latin1", "latin-1"].contains(objects.name(arguments[1]))
      else { throw wrongArguments(global) }
      push(.latin1(text: arguments[0]))
    case .ndarray: throw wrongArguments(global)
    }
  }

  /// What Python's `__setstate__` does for an array and for the type of its elements.
  mutating func setState(
    of target: PickleObjects.Reference, _ state: PickleObjects.Reference
  ) throws(FormatProblem) {
    let state = objects.tuple(state) ?? []
    switch objects[target] {
    case .elementType(var type):
      // (version, byte order, …)
      guard state.count >= 2, let order = objects.name(state[1]), ["<", ">", "=", "|"].contains(order) else {
        throw problem("the state of a dtype is not as NumPy writes it")
      }
      type.isBigEndian = order == ">"
      objects[target] = .elementType(type)
    case .array:
      // (version, shape, dtype, whether in Fortran order, data)
      guard state.count == 5, objects.integer(state[0]) == 1, let shape = objects.integers(state[1]),
        case .elementType(let type) = objects[state[2]], let isFortran = objects.integer(state[3])
      else { throw problem("the state of an array is not as NumPy writes it") }
      let array = try NumPyArray(shape: shape, type: type, isFortranOrder: isFortran != 0, offset: offset)
      objects[target] = .array(PickleObjects.Array(state: (array, state[4])))
    default: throw problem("a state is set in what is no array")
    }
  }

  /// The arrays of the dict that the pickle holds.
  func tensors(of root: PickleObjects.Reference) throws(FormatProblem) -> [Tensor] {
    guard case .dictionary(let number) = objects[root] else { throw problem("the pickle holds no dict") }
    var tensors: [Tensor] = []
    var names: Set<String> = []
    // One array under many names would take more memory, and time, than the file accounts for.
    var room = cursor.bytes.count
    for entry in objects.dictionaries[number] {
      guard let name = objects.name(entry.key) else { throw problem("a key of the dict is no text") }
      guard names.insert(name).inserted else {
        throw problem("the key \"\(printable(name))\" is there twice")
      }
      guard case .array(let array) = objects[entry.value], let (array, reference) = array.state else {
        throw problem("\"\(printable(name))\" is no array")
      }
      room -= max(array.byteCount, objects.size(reference))
      guard room >= 0 else { throw problem("the arrays have more bytes than the file") }
      guard let data = objects.contents(reference) else {
        throw problem("the data of the array \"\(printable(name))\" are no bytes")
      }
      tensors.append(try array.tensor(named: name, from: data.bytes, offset: data.offset))
    }
    return tensors
  }

  private var offset: Int { problem("").offset ?? 0 }

  private func wrongArguments(_ global: PickleObjects.Global) -> FormatProblem {
    problem("\(global.rawValue) is called otherwise than NumPy does")
  }
}
