namespace Serving.Engine.Formats;

/// <summary>A state of a file: as long as its stamp is the same, so is its content, but for changes within the system clock's own step.</summary>
/// <param name="Device">The file system.</param>
/// <param name="Inode">The file in it.</param>
/// <param name="Length">Bytes.</param>
/// <param name="ModifiedNanoseconds">When the content changed last; programs can set it.</param>
/// <param name="ChangedNanoseconds">When anything changed last; programs cannot set it.</param>
internal readonly record struct FileStamp(ulong Device, ulong Inode, long Length, long ModifiedNanoseconds, long ChangedNanoseconds);
