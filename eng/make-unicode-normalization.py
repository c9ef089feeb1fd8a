# Writes the table that UnicodeNormalizer reads, from Python's copy of the Unicode character database.
# One line a character: hex code point, combining class, then the decomposition ("=" canonical, "~" compatibility) in hex;
# a canonical pair that never recomposes carries "!" in place of "=".
import sys, unicodedata as u
out = sys.stdout
print(f"# Unicode {u.unidata_version}; made by eng/make-unicode-normalization.py")
for c in range(0x110000):
    if 0xD800 <= c < 0xE000 or 0xAC00 <= c < 0xD7A4: continue
    ch = chr(c); ccc = u.combining(ch); d = u.decomposition(ch)
    if not ccc and not d: continue
    line = f"{c:X} {ccc}"
    if d:
        parts = d.split()
        if parts[0].startswith("<"): line += " ~" + " ".join(parts[1:])
        else: line += (" =" if u.normalize("NFC", u.normalize("NFD", ch)) == ch else " !") + " ".join(parts)
    print(line)
