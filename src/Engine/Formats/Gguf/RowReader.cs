namespace Serving.Engine.Formats.Gguf;

/// <summary>Gives a row of a tensor that is to be written, as fp32. It is called from several threads at once, for different rows.</summary>
/// <param name="row">Counted over all dimensions but the first.</param>
/// <param name="destination">As many elements as the first dimension has.</param>
public delegate void RowReader(long row, Span<float> destination);
