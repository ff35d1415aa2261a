/// The two parts of a data set: what is learned from, and what is held back to test on.
public enum Subset: String, CaseIterable, Sendable {
  case training, test
}
