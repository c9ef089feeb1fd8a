namespace Serving.Text.Tokenization.Decoding;

/// <summary>
/// A stage that turns a token's written form into what it adds to a text. Each token is decoded by itself, knowing only whether it is the
/// first: that is what lets a stream be decoded token by token.
/// </summary>
internal delegate DecodedToken TokenDecoder(DecodedToken token);
