namespace Serving.Text.Tokenization.PreTokenizers;

/// <summary>Where Metaspace puts a space before the text.</summary>
internal enum MetaspacePrepend
{
    /// <summary>At the start of the whole text only.</summary>
    First,

    /// <summary>Nowhere.</summary>
    Never,

    /// <summary>Also after each added token.</summary>
    Always,
}
