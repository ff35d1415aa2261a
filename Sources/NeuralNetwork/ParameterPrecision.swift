/// In how many bits a network's passes see its parameters: rounded to the nearest, of two equally near values to that
/// with an even last bit. Micikevicius et al., "Mixed Precision Training" (2018), section 3.1, for the weights alone:
/// products, sums, activations and gradients stay float32.
public enum ParameterPrecision: String, CaseIterable, Sendable {
  case float32, float16, bfloat16
}
