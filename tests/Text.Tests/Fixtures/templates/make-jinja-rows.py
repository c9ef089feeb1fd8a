"""Writes jinja-rows.json: small templates and what Jinja2 3.1.6 renders, set up as Hugging Face's chat templates are.

Run: python3 make-jinja-rows.py   (needs jinja2==3.1.6)
A row is [template, text]; [template, null] where Jinja raises. All rows see the variables in VARIABLES.
"""
import json
import pathlib

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

assert jinja2.__version__ == "3.1.6"

VARIABLES = {
    "tools": None,
    "messages": [
        {"role": "system", "content": "Be terse."},
        {"role": "user", "content": "  Hello, World!\n"},
        {"role": "assistant", "content": "", "thought": None, "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1, "y": [1.5, None, True]}}}]},
        {"role": "tool", "content": "naïve 日本🙂 \"q\" 'a' \\ \t"},
    ],
    "people": [{"name": "Bo", "age": 30, "tags": ["x"]}, {"name": "al", "age": 25}, {"name": "Cy", "age": 30, "tags": []}],
    "n": 7, "f": 2.5, "t": True, "z": None, "s": "Hello World", "emoji": "a🙂b🙂", "empty": "", "big": 12345678901234567890,
    "nums": [3, 1, 2, 3], "d": {"b": 1, "A": 2, "c": {"k": "v"}, "items": "shadowed"}, "words": ["b", "A", "a", "C"],
    "lines": "one\n\n  two\r\nthree\n", "html": "<b>&'\"</b>", "nested": [[1, 2], [3, [4]]],
}


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_support"), [], [], body).set_lineno(line)

    def _support(self, caller):
        return caller()


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


ENVIRONMENT = jinja2.sandbox.ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
ENVIRONMENT.filters["tojson"] = tojson
ENVIRONMENT.globals["raise_exception"] = raise_exception

EXPRESSIONS = r"""
1 + 2 * 3 ** 2
2 ** 3 ** 2
-2 ** 2
(-2) ** 3
2 ** -1
7 // 2
-7 // 2
7 // -2
7 % 3
-7 % 3
7 % -3
7.5 // 2
-7.5 // 2
-7.5 % 2
7.5 % -2
7 / 2
6 / 2
1 / 0
1 // 0
1 % 0
1.0 / 0
big + 1
big * big
10 ** 30
0.1 + 0.2
1e16
1e15
123456789012345678.0
1e-4
1e-5
0.00001234
1.5e300 * 1e10
1e308 * 10
-1e308 * 10
100.0
-0.0
1e22
1e23
5e-324
1.7976931348623157e308
2.0 ** 0.5
3 * 'ab'
'ab' * 0
'ab' * -1
[1] * 3
(1, 2) * 2
'a' + 'b'
'a' + 1
1 + 'a'
[1] + [2, 3]
(1,) + (2,)
[1] + (2,)
[1] + 'a'
none + 1
true + true
true * 3
'a' ~ 1 ~ none ~ true ~ 1.0 ~ [1, 'x'] ~ undefinedthing
1 ~ 2 + 3
1 + 2 ~ 3
'a' ~ 'b' * 2
not true
not not 1
not 1 == 2
1 < 2 < 3
1 < 3 < 2
3 > 2 >= 2
1 == 1.0
1 == true
'1' == 1
1 != 2
[1, 2] == [1, 2]
[1, 2] == (1, 2)
{'a': 1, 'b': 2} == {'b': 2, 'a': 1}
none == false
none is none
1 < 'a'
'a' < 'b'
'B' < 'a'
[1, 2] < [1, 3]
(1, 'a') < (1, 'b')
none < 1
'a' in 'abc'
'z' not in 'abc'
1 in [1, 2]
1.0 in [1, 2]
'a' in d
'b' in d
'b' in d.keys()
1 in d.values()
('b', 1) in d.items()
1 in 'abc'
1 in 5
'x' in undefinedthing
2 in range(3)
'' in ''
1 or 0
0 or 'x'
'' and 1
1 and 'y'
0 or none
t and n > 3 or false
'yes' if t else 'no'
'yes' if z else 'no'
'yes' if z
('yes' if z) is defined
1 if false else 2 if true else 3
'a' if 'b' in 'abc' and not false else 'c'
n|string + '1'
-n|abs
-3|abs
(-3)|abs
n is odd
n is even
n is divisibleby 7
n is divisibleby(2)
n is not divisibleby 2
n is number and f is number and t is number
n is integer
t is integer
t is boolean
f is float
f is integer
s is string
z is string
z is none
z is not none
messages is sequence
messages is iterable
messages[0] is mapping
s is sequence
s is iterable
n is iterable
d is sequence
nope is defined
nope is undefined
nope is iterable
nope is string
s is defined and s is not undefined
'abc' is lower
'ABC' is upper
'Abc' is lower
t is true
1 is true
0 is false
false is false
n is eq 7
n is equalto(7)
n is ne 7
n is gt 3
n is lt 3
n is ge 7
n is le 7
n is in [7]
'a' is in 'abc'
n is sameas 7
z is sameas none
range is callable
s is callable
s.upper is callable
'upper' is filter
'nope' is filter
'odd' is test
'nope' is test
1 is nosuchtest
1|nosuchfilter
1 if true else 1|nosuchfilter
1 is defined is defined
s[0]
s[-1]
s[20]
s[20] is defined
s[1:4]
s[:-1]
s[-3:]
s[::2]
s[::-1]
s[5:1:-1]
s[5:1]
s[100:]
s[::0]
s['a']
s.nope
s.nope.nope
emoji|length
emoji[1]
emoji[-1]
emoji[1:3]
emoji[::-1]
emoji.find('b')
emoji|reverse
nums[1:]
nums[::-1]
nums[-1]
nums[10]
nums[10] is defined
nums['x'] is defined
nums.0
nums.5
nums[true]
(1, 2, 3)[1:]
range(10)[2]
range(10)[2:5]
range(5)
range(1, 10, 3)|list
range(5, 0, -2)|list
range(0)|list
range(1, 2, 0)
range(200000)
range('a')
d.b
d['b']
d.nope
d.nope is defined
d.nope.x
d.c.k
d['c']['k']
d.items
d['items']
d.items()|list
d.keys()|list
d.values()
d.keys()
d.get('b')
d.get('zz')
d.get('zz', 'dflt')
d.update({'x': 1})
d.pop('b')
d.setdefault('b', 1)
d.clear()
nums.append(1)
nums.pop()
nums.append
nums.sort()
nums.index(1)
nums.count(3)
nums.index(9)
d.copy()
s.__class__
s.__class__ is defined
s.__class__.__mro__
d.__init__
d._x
d._x is defined
none.x
none.x is defined
n.x is defined
undefinedthing
undefinedthing.x
undefinedthing['x']
undefinedthing()
undefinedthing + 1
undefinedthing ~ 'a'
undefinedthing == undefinedthing2
undefinedthing == none
undefinedthing|length
undefinedthing|list
undefinedthing|upper
undefinedthing|default('x')
undefinedthing|default
undefinedthing.a|default('x')
not undefinedthing
undefinedthing or 'x'
undefinedthing < 1
-undefinedthing
undefinedthing|int
undefinedthing|tojson
undefinedthing|join
undefinedthing|first
undefinedthing|string
undefinedthing|trim
undefinedthing|e
undefinedthing|sort
[undefinedthing]
n()
'x'()
[1, 'a', none, true, 1.0, [2], (3,), {'k': 'v'}]
(1,)
()
[]
{}
{'a': 1, 2: 'b', none: 3, (1, 2): 4}
{[1]: 2}
{'a': 1, 'a': 2}
{1: 'a', 1.0: 'b', true: 'c'}
'it\'s'
["it's"]
['say "x"']
['both \' and "']
['tab\tnl\ncr\rback\\']
['\x00\x7f\x80\xa0é\u200b\ufeff日🙂']
'\x41\u00e9\101\n|'
"\d\w"
'a\
b'
'con' 'cat' "ed"
'%s and %r' % ('a', 'b')
'%d%%' % 5
'%05.2f|%-5s|%5s|%+d|%x|%X|%o|%e|%g|%c' % (3.14159, 'ab', 'cd', 5, 255, 255, 8, 12345.678, 0.0001, 'z')
'%s' % 5
'%s %s' % 'a'
'%s' % ('a', 'b')
'%(a)s-%(b)d' % {'a': 1, 'b': 2}
'%d' % 'x'
'%5.1f' % 2.25
'%.3s' % 'abcdef'
'%#x' % 255
'%s' % [1, 2]
'%s' % ((1, 2),)
'%i' % 3.9
'%08d' % -42
'{} {}'.format(1, 'a')
'{0} {1} {0}'.format('a', 'b')
'{x:>5}|{y:<5}|{z:^5}|'.format(x=1, y='b', z='c')
'{:05d} {:.2f} {:,} {:x} {:b} {:e} {:%}'.format(42, 3.14159, 1234567, 255, 5, 12345.678, 0.25)
'{!r} {!s}'.format('a', 'b')
'{a.b} {a[b]}'.format(a=d)
'{{}} {}'.format(1)
'{}'.format()
'{:+} {: } {:-}'.format(1, 2, -3)
'{:*^9}'.format('mid')
'{:>8.3f}|'.format(2.5)
'{:10}|{:10}|'.format('s', 5)
'{:_}'.format(1000000)
'{:g} {:g}'.format(1e10, 0.5)
'{0[c][k]}'.format(d)
'{a}'.format_map({'a': 1})
'{a.__class__}'.format(a=1)
s.upper()
s.lower()
s.title()
'it\'s a dog-house'.title()
'it\'s a dog-house (x) [y] <z> {w}'|title
'HELLO wORLD'|title
'hELLO'.capitalize()
'hELLO wORLD'|capitalize
s.swapcase()
'straße'.upper()
'ÀÉ'.lower()
'ΑΣ'.lower()
'ab'.center(7)
'ab'.center(6, '*')
'abc'.center(6, '*')
'ab'.ljust(5, '.')
'ab'.rjust(5, '.')
'42'.zfill(5)
'-42'.zfill(5)
'a\tb'.expandtabs(4)
'  x '.strip()
'xxaxx'.strip('x')
'xyaxy'.lstrip('xy')
'xyaxy'.rstrip('yx')
'x\u00a0\n'.strip()
'a,b,,c'.split(',')
'a,b,,c'.split(',', 1)
'a,b,,c'.split(',', maxsplit=2)
'a,b,,c'.rsplit(',', 1)
'  a  b c '.split()
'  a  b c '.split(none, 1)
'  a  b c '.rsplit(none, 1)
'  a  b c '.rsplit()
''.split()
''.split(',')
'abc'.split('')
'a</think>b</think>c'.split('</think>')[-1]
'a</think>b'.split('</think>', 1)
lines.splitlines()
lines.splitlines(true)
'a\x0bb\x0cc\x1cd\x85e\u2028f'.splitlines()
'a-b-c'.partition('-')
'a-b-c'.rpartition('-')
'abc'.partition('-')
'abc'.rpartition('-')
','.join(['a', 'b'])
','.join([1])
','.join('abc')
','.join({'x': 1, 'y': 2})
'aXbXc'.replace('X', '-')
'aXbXc'.replace('X', '-', 1)
'abc'.replace('', '-')
'abc'.replace('', '-', 2)
'abc'.startswith('a')
'abc'.startswith(('x', 'a'))
'abc'.startswith('b', 1)
'abc'.endswith('c')
'abc'.endswith(('b', 'bc'))
'abc'.startswith(1)
'abcabc'.find('c')
'abcabc'.find('c', 3)
'abcabc'.find('z')
'abcabc'.rfind('c')
'abcabc'.index('c')
'abcabc'.index('z')
'abcabc'.rindex('b')
'abcabc'.count('bc')
'abc'.count('')
'abc'.removeprefix('a')
'abc'.removesuffix('c')
'abc'.removesuffix('x')
'abc'.isalpha()
'ab1'.isalpha()
'ab1'.isalnum()
'12'.isdigit()
''.isdigit()
'12'.isnumeric()
'12'.isdecimal()
'   '.isspace()
'abc'.islower()
'ABC'.isupper()
'Ab Cd'.istitle()
'abc'.isascii()
'abc'.nope()
'abc'.upper(1)
s.format
2.0.is_integer()
f.is_integer()
s|upper
s|lower
n|upper
' x '|trim
'xxaxx'|trim('x')
s|length
nums|count
n|length
d|length
s|first
s|last
nums|first
[]|first
[]|first is defined
[]|last
d|first
nums|join(', ')
nums|join
people|join(', ', attribute='name')
people|map(attribute='name')|join('-')
people|map(attribute='tags')|list
people|map(attribute='tags', default='none')|list
people|map(attribute='tags.0')|list
nested|map(attribute=1)|list
nested|map('first')|list
nested|map('last')|list
words|map('upper')|list
['a', 'b']|map('replace', 'a', 'z')|list
nums|map('string')|join
nums|map('nosuch')|list
nums|map
nums|map()|list
[]|map('nosuch')|list
nums|select('odd')|list
nums|select('gt', 1)|list
nums|reject('odd')|list
[0, 1, '', 'a', none]|select|list
[0, 1, '', 'a', none]|reject|list
people|selectattr('tags')|list|length
people|selectattr('tags', 'defined')|map(attribute='name')|list
people|selectattr('age', 'equalto', 30)|map(attribute='name')|list
people|selectattr('age', '==', 30)|list|length
people|rejectattr('age', 'gt', 26)|map(attribute='name')|list
people|rejectattr('tags')|map(attribute='name')|list
people|selectattr('name', 'in', ['Bo', 'Cy'])|map(attribute='age')|sum
nums|select('odd')|length
(nums|select('gt', 100)) is defined
'yes' if nums|select('gt', 100) else 'no'
nums|sort
nums|sort(reverse=true)
words|sort
words|sort(case_sensitive=true)
people|sort(attribute='age')|map(attribute='name')|list
people|sort(attribute='age,name')|map(attribute='name')|list
people|sort(attribute='name', reverse=true)|map(attribute='name')|list
[1, 'a']|sort
d|sort
d|dictsort
d|dictsort(true)
{'x': 3, 'y': 1}|dictsort(by='value')
{'x': 3, 'y': 1}|dictsort(reverse=true)
{'x': 3}|dictsort(by='z')
[1]|dictsort
nums|unique|list
words|unique|list
words|unique(case_sensitive=true)|list
people|unique(attribute='age')|map(attribute='name')|list
nums|reverse|list
s|reverse
d|reverse|list
nums|min
nums|max
words|min
words|max
[]|min
people|max(attribute='age')
nums|sum
people|sum(attribute='age')
[1.5, 2]|sum(start=1)
['a']|sum
nums|batch(3)|list
nums|batch(3, 'x')|list
nums|slice(3)|list
nums|slice(3, 'x')|list
nums|slice(2, 'x')|list
people|groupby('age')|list
d|items|list
nope|items|list
[1]|items
d|list
s|list
n|list
'42'|int
'4x2'|int
'4.7'|int
' 42 '|int
'x'|int(5)
'ff'|int(0, 16)
'0x1f'|int(0, 16)
'0b11'|int(base=0)
'1_000'|int
4.9|int
-4.9|int
none|int
true|int
[]|int(3)
'1.5'|float
'x'|float
'x'|float(2.5)
'inf'|float
'1e3'|float
7|float
2.5|round
3.5|round
2.675|round(2)
1234.5|round(-2)
7|round
2.4|round(0, 'ceil')
2.6|round(method='floor')
2.123|round(2, 'ceil')
'x'|round
-2.5|abs
'x'|abs
s|replace('o', '0')
s|replace('o', '0', 1)
n|replace('7', '8')
'a\nb\n\nc'|indent
'a\nb\n\nc'|indent(2, true)
'a\nb\n\nc'|indent(2, blank=true)
'a\nb'|indent('> ')
'a\nb\n'|indent(2)
''|indent(2, true)
'foo bar baz qux'|truncate(9)
'foo bar baz qux'|truncate(9, true)
'foo bar baz qux'|truncate(11)
'foo bar baz qux'|truncate(11, false, '...', 0)
'foo bar baz qux'|truncate(2)
'ab'|center(6)
'ab'|center(5)
'a b-c d_e'|wordcount
'the quick brown fox jumps'|wordwrap(10)
'a verylongwordindeed b'|wordwrap(6)
'a verylongwordindeed b'|wordwrap(6, false)
'%s-%s'|format('a', 1)
'%(x)s'|format(x=3)
'a b/c?d=é&'|urlencode
{'a b': 'c/d', 'e': 1}|urlencode
[['k', 'v w']]|urlencode
html|e
html|escape
html|safe
html|forceescape
n|e
1000|filesizeformat
1000000|filesizeformat
1|filesizeformat
1500|filesizeformat(true)
n|string
z|string
d|string
s|attr('upper')
s|attr('nope') is defined
d|attr('b') is defined
none|default('x')
none|default('x', true)
''|default('x', boolean=true)
false|d('x')
[1, {'a': 'x'}]|pprint
d|tojson
messages|tojson
messages[2]|tojson(indent=2)
messages[3].content|tojson
messages[3]|tojson(ensure_ascii=true)
d|tojson(sort_keys=true)
d|tojson(separators=(',', ':'))
{'a': [], 'b': {}, 'c': [1, [2]]}|tojson(indent=1)
nums|tojson(indent=4)
nums|tojson(indent=0)
nums|tojson(indent='--')
[1.0, 1e100, 1e-7, -0.0, big, true, none]|tojson
'\u2028</script>&\'\x7f\x1f\b\f'|tojson
{1: 2, none: 3, true: 4, 1.5: 6}|tojson
(1, 2)|tojson
{'a': nope}|tojson
range(3)|tojson
d.items()|tojson
html|tojson
tools|tojson if tools is defined else 'no tools'
dict(a=1, b='x')
dict({'a': 1}, b=2)
dict([['a', 1]])
namespace(a=1).a
namespace(a=1).b
namespace(a=1).b is defined
namespace({'a': 5}).a
raise_exception('boom')
[1, 2, 3,]
{'a': 1,}
(1, 2,)
1,
1, 2
[[1, 2], [3]][0][1]
'abc'[1]|upper
-1 + 2
- 1
+ 1
1 - -1
2 - 1 - 1
10 - 2 * 3
(1 + 2) * 3
100 // 7 % 5
2 * 3 % 4
1.5 + 1
1_000 + 1
0x1F
0b101
0o17
1.
.5
10 is divisibleby 5 and 3 is odd
1 in [1] and 2 not in [1]
not 1 in [2]
'a' 'b' ~ 'c'
[1, 2, 3][-2:]
d.c | length
s|replace('l', 'L')|upper|lower|title
(s ~ '!')|length
s|length > 5 and s|length < 20
nums|length - 1
messages[-1].role
messages[-1]['role']
messages[0]['content'][:2]
messages[1:]|length
messages[:1]|map(attribute='role')|list
messages|selectattr('role', 'equalto', 'user')|map(attribute='content')|list|last
messages|map(attribute='role')|unique|join(' ')
messages[2].tool_calls[0].function.arguments|tojson
messages[2].content is none
messages[2].content or 'fallback'
messages[5].role
messages[2].tool_calls[0]['function'].name
messages|length > 3 and messages[3].role == 'tool'
messages[3].content.split(' ')[1]
cycler('a', 'b').next()
f ~ ''
t ~ z
joiner(', ')()
loop is defined
{'a': {'b': [1, 2]}}.a.b[1]
{'x': 1}.x
{'x': 1}['x']
[{'x': 1}][0].x
"a" == 'a'
'a' < 'b' < 'c' == true
(true, false)|list
foo.bar is defined
d.c.zz is defined
d.zz.zz is defined
(1 if t) ~ (2 if z)
s | upper ~ s | lower
1 + 1 | string
1 == 1 | int
n if n is number else 'x'
'a' if n is divisibleby 7 else 'b'
nums[n - 7]
nums[0] if nums else 'none'
"{{ '{%' }}"
'\\n'
'é'|upper
'ǆ'.title()
""" .strip("\n").split("\n")

TEMPLATES = [
    "a\n{% if true %}\nb\n{% endif %}\nc\n",
    "a\n  {% if true %}  \n  b\n  {% endif %}\nc\n\n",
    "  {%- if true %}  x  {%- endif -%}  y",
    "a  {%+ if true %}x{% endif %}\n  {%+ if true +%}\n y{% endif %}",
    "a {{- 1 -}} b {{ 2 }}\n c",
    "{{ 1 }}\n{{ 2 }}\n",
    "{{ 1 -}}\n\n  {{ 2 }}",
    "   {{ 1 }}",
    "a\n   {# c #}\nb",
    "a\n   {#- c -#}\n  b",
    "a {#+ c +#}\nb",
    "{# {{ x }} {% if %} #}x",
    "a\n\t {% set x = 1 %}\t\n b{{ x }}",
    "{% set x = 1 -%}\n\n  b",
    "a{% set x = 1 %}\nb",
    "a {% set x = 1 %} b",
    "{% raw %}{{ x }} {% if %}{% endraw %}y",
    "a\n  {% raw %}\n  {{ x }}\n  {% endraw %}\nb",
    "a  {%- raw -%}  {{ x }}  {%- endraw -%}  b",
    "a{% raw %}x", "{{ 1", "{% if true", "{# x", "{% if true %}x", "{% endif %}", "{% nope %}", "{{ }}", "{{ 1 2 }}", "{% if %}x{% endif %}",
    "\n\na\n\n", "a\r\nb\rc\n", "\n", "", "  \n  {% if true %}x{% endif %}", "{{ 'a\nb' }}", "x\n{%- if true %}\n  y\n{%- endif %}\nz",
    "{% if true %}\n\nx\n\n{% endif %}\n\n", "{%if true%}x{%endif%}", "{{'x'}}{{\"y\"}}", "{{ {'a': {'b': 1}}['a']}}", "{{ {'a': 1}}}",
    "{% for x in nums %}{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for x in nums %}\n  {{ x }}\n{% endfor %}\nend",
    "{% for x in [] %}a{% else %}none{% endfor %}", "{% for x in nope %}a{% else %}none{% endfor %}", "{% for x in 5 %}a{% endfor %}",
    "{% for x in nums if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% else %}no{% endfor %}",
    "{% for x in nums if x > 9 %}{{ x }}{% else %}no{% endfor %}",
    "{% for x in 'ab' %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}",
    "{% for x in nums %}{{ loop.previtem }}<{{ x }}<{{ loop.nextitem }} {% endfor %}",
    "{% for x in nums %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }} {% endfor %}",
    "{% for x in nums %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{% for x in [1, 1, 2, 2, 1] %}{{ loop.changed(x) }} {% endfor %}",
    "{% for a, b in [(1, 2), (3, 4)] %}{{ a }}-{{ b }} {% endfor %}", "{% for a, b in [(1, 2, 3)] %}{% endfor %}", "{% for a, b in [1] %}{% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }} {% endfor %}", "{% for k, v in d|items %}{{ k }} {% endfor %}",
    "{% for x in nums %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}", "{% for x in nums %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in nums %}{% for y in nums %}{% if y == 1 %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}{{ loop.index }}|{% endfor %}",
    "{% break %}", "{% continue %}",
    "{% for x in nested recursive %}{% if x is iterable %}[{{ loop(x) }}]{% else %}{{ x }}@{{ loop.depth }}{% endif %}{% endfor %}",
    "{% for x in nums %}{{ loop(x) }}{% endfor %}", "{% for x in nums %}{% set y = x %}{% endfor %}{{ y }}",
    "{% set y = 0 %}{% for x in nums %}{{ y }}{% set y = y + x %}{{ y }} {% endfor %}{{ y }}", "{% for x in nums %}{% endfor %}{{ x }}{{ loop }}",
    "{% set x = 'o' %}{% for x in nums %}{{ x }}{% endfor %}{{ x }}",
    "{% set ns = namespace(i=0, s='') %}{% for x in nums %}{% set ns.i = ns.i + x %}{% set ns.s = ns.s ~ x %}{% endfor %}{{ ns.i }}{{ ns.s }}",
    "{% set ns = namespace() %}{% set ns.a = 1 %}{{ ns.a }}{{ ns.b }}|{{ ns['a'] }}", "{% set d.x = 1 %}", "{% set nope.x = 1 %}",
    "{% if true %}{% set x = 1 %}{% endif %}{{ x }}", "{% if false %}{% set x = 1 %}{% endif %}{{ x }}{{ x is defined }}",
    "{% set n = 1 %}{{ n }}", "{% if z %}a{% elif n > 5 %}b{% else %}c{% endif %}", "{% if z %}a{% elif n > 50 %}b{% else %}c{% endif %}",
    "{% if n == 7 and (f > 1 or z) %}y{% endif %}", "{% if not z %}y{% endif %}", "{% if messages %}y{% endif %}{% if empty %}n{% endif %}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a, b = [1, 2] %}{{ b }}{{ a }}", "{% set a, b = 1 %}", "{% set x = 1, 2 %}{{ x }}", "{% set x %}a{{ n }}b{% endset %}{{ x }}|{{ x|length }}",
    "{% set x | upper | trim %}  a{{ n }}b {% endset %}{{ x }}", "{% set ns = namespace() %}{% set ns.x %}blk{% endset %}{{ ns.x }}",
    "{% set x %}{% set y = 1 %}{{ y }}{% endset %}{{ x }}{{ y }}", "{% set true = 1 %}", "{% set 1 = 2 %}",
    "{% macro m(a, b='d', c=none) %}{{ a }}/{{ b }}/{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, 2, 3) }} {{ m(a=5, c=6) }} {{ m() }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(x=2) }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, k=3) }}", "{% macro m(a, b=a) %}{{ b }}{% endmacro %}{{ m(4) }}",
    "{% macro m() %}{{ caller() }}!{% endmacro %}{% call m() %}body{% endcall %}",
    "{% macro m() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) m() %}{{ b }}{{ a }}{{ n }}{% endcall %}",
    "{% macro m() %}x{% endmacro %}{% call m() %}body{% endcall %}", "{% macro m() %}{{ caller }}{% endmacro %}{{ m() }}",
    "{% macro m() %}{% if caller is defined %}c{% else %}n{% endif %}{% endmacro %}{{ m() }}",
    "{% macro f(n) %}{% if n <= 1 %}1{% else %}{{ n }}*{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(4) }}",
    "{{ m() }}{% macro m() %}x{% endmacro %}", "{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}",
    "{% macro m() %}{% set x = 5 %}{{ x }}{% endmacro %}{{ m() }}{{ x }}", "{% for x in nums %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}", "{% macro m() %}\n  x\n{% endmacro %}\n[{{ m() }}]",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m('x')|upper }}{{ m('abc')|length }}{{ m(1) is string }}", "{% macro m(a, b) %}{{ a is defined }}{{ b is defined }}{% endmacro %}{{ m(1) }}",
    "{% macro m(a) %}{{ a.b }}{% endmacro %}{{ m() }}", "{% macro m(a, b=1, c) %}{% endmacro %}", "{% macro m() %}{{ m.name }}{{ m.arguments }}{% endmacro %}{{ m() }}",
    "{% macro m(*a) %}{% endmacro %}", "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(*[1]) }}{{ m(**{'x': 2}) }}",
    "{% macro m(x) %}{% for i in range(x) %}{{ i }}{% if i == 1 %}{% break %}{% endif %}{% endfor %}{% endmacro %}{{ m(5) }}",
    "{% filter upper %}a{{ s }}{% endfilter %}", "{% filter replace('a', 'b')|upper %}aaa{% endfilter %}", "{% filter nope %}a{% endfilter %}",
    "{% with %}{% set x = 1 %}{{ x }}{% endwith %}{{ x }}", "{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% set a = 9 %}{% with a = 1, b = a %}{{ b }}{% endwith %}",
    "{% with a, b = (1, 2) %}{{ a }}{% endwith %}", "{% generation %}x{{ n }}{% endgeneration %}", "{% generation %}{% set y = 1 %}{% endgeneration %}{{ y }}",
    "a\n  {% generation %}\n  x\n  {% endgeneration %}\nb", "{% for m in messages %}{% generation %}{{ m.role }}{{ loop.index }}{% endgeneration %}{% endfor %}",
    "{% print 1 + 1 %}", "{% include 'x' %}", "{% import 'x' as y %}", "{% extends 'x' %}", "{% from 'x' import y %}", "{% do x %}",
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' }}{{ m['content'] }}{% endfor %}", "{% for m in messages %}{{ m.content | trim }}|{% endfor %}",
    "{% for m in messages %}{% if m.content is string %}{{ m.content|trim }}{% elif m.content is none %}-{% endif %}{% endfor %}",
    "{% if messages[0].role == 'system' %}{% set sys = messages[0].content %}{% set rest = messages[1:] %}{% else %}{% set rest = messages %}{% endif %}{{ sys }}|{{ rest|length }}",
    "{% set ns = namespace(found=false) %}{% for m in messages %}{% if m.role == 'tool' %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.found }}",
    "{% for m in messages[::-1] %}{% set i = (messages|length - 1) - loop.index0 %}{{ i }}{{ m.role[0] }} {% endfor %}",
    "{% for m in messages %}{% if loop.nextitem is defined and loop.nextitem.role == 'tool' %}next is tool{% endif %}{% endfor %}",
    "{% for m in messages %}{% if (loop.index0 % 2 == 0) != (m.role == 'user') %}x{% else %}y{% endif %}{% endfor %}",
    "{{ raise_exception('Conversation roles must alternate') }}", "{% if n != 7 %}{{ raise_exception('no') }}{% endif %}ok",
    "{% set x = [] %}{% for i in range(3) %}{% set x = x + [i] %}{% endfor %}{{ x }}", "{% set ns = namespace(x=[]) %}{% for i in range(3) %}{% set ns.x = ns.x + [i] %}{% endfor %}{{ ns.x }}",
    "{% set gen = nums|select('odd') %}{{ gen|list }}{{ gen|list }}", "{% for g in people|groupby('age') %}{{ g.grouper }}:{{ g.list|length }} {% endfor %}",
    "{% for age, group in people|groupby('age') %}{{ age }}:{{ group|map(attribute='name')|join('+') }} {% endfor %}",
    "{% for row in range(7)|batch(3) %}{{ row }}{% endfor %}", "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}",
    "{% set j = joiner('|') %}{% for x in nums %}{{ j() }}{{ x }}{% endfor %}", "{{ [1, 2]|map('string')|join('-') }}{{ d.c|tojson }}",
    "{% for c in messages[2].tool_calls %}{{ c.function.name }}({% for k, v in c.function.arguments|items %}{{ k }}={{ v|tojson }}{{ ', ' if not loop.last }}{% endfor %}){% endfor %}",
    "{%- for message in messages -%}\n  {%- if message.role == 'user' -%}\n    {{- 'U:' + message.content -}}\n  {%- endif -%}\n{%- endfor -%}\n",
    "{% if true %}\n  a\n  {% if true %}\n    b\n  {% endif %}\n{% endif %}\nc", "<{{ '' if n else '' }}>\n{{- '\\n' }}x", "{{ '\\n' }}{% if t %}\n{% endif %}|",
    "{% set loop_messages = messages %}{% for message in loop_messages %}{{ loop.index0 }}{% endfor %}", "{% for x in nums %}{{ x }}{% else %}{% endfor %}{% for x in () %}{% else %}{{ n }}{% endfor %}",
    "{% for x in range(3) %}{% set outer = loop %}{% for y in range(2) %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{% for x in nums recursive %}{{ x }}{% endfor %}", "{{ messages | tojson(indent=4) }}", "{%- set x = 1 %}\n{%- set y = 2 %}\n{{ x }}{{ y }}", "{%- set x = 1 -%}\n{{ x }}\n\n",
    "{% macro r(x) %}{% if x is mapping %}{% for k, v in x|items %}{{ k }}:{{ r(v) }};{% endfor %}{% elif x is iterable and x is not string %}{% for v in x %}{{ r(v) }},{% endfor %}{% else %}{{ x|tojson }}{% endif %}{% endmacro %}{{ r(messages[2]) }}",
    "{{ {'a': 1}.items()|list }}{{ {'a': 1} | items | list }}", "{% set x = {'a': 1} %}{% set x = dict(x, b=2) %}{{ x }}", "{% if 'tool_calls' in messages[2] and messages[2]['tool_calls'] %}y{% endif %}",
    "{% if messages[2].get('tool_calls') %}y{% endif %}{{ messages[2].get('nope') }}", "{% if messages[0]['nope'] is not defined %}u{% endif %}", "{{ messages[0]|length }}{{ messages[0].keys()|list }}",
    "{{ s.split(' ') | map('lower') | join('_') }}", "{{ ('a', 'b') | join }}", "{{ lines.strip().split('\\n')[-1] }}", "a{{ none }}b{{ true }}c{{ [] }}",
    "{{ 1 if 1 else 1|nope }}", "{% if false %}{{ 1|nope }}{% endif %}x", "{% for x in [] %}{{ 1|nope }}{% endfor %}", "{% if false %}{{ 1 is nope }}{% endif %}x", "{% if true %}{{ 1|nope }}{% endif %}",
    "{{ loop.index }}", "{% for i in nums %}{% for j in nums if loop.index > 1 %}{{ j }}{% endfor %}{% endfor %}", "{{ [1,2,3]|first + ([1,2,3]|last) }}", "{{ ('<' ~ s ~ '>')|e }}",
    "{% set x = 'a' if t else 'b' %}{{ x }}", "{% set x = nums | length %}{{ x }}", "{% set x = (1) %}{{ x }}", "{% set x = (1,) %}{{ x }}", "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}", "{% for x in (1, 2) if x > 1 %}{{ x }}{% endfor %}",
    "{% for (a, b) in [(1, 2)] %}{{ a }}{{ b }}{% endfor %}", "{% for x in nums: %}{{ x }}{% endfor %}", "{% if t: %}x{% endif %}", "{% set x = 5 %}{% if x is defined and x %}{{ x }}{% endif %}",
    "{% call nope() %}{% endcall %}", "{% call 1 %}{% endcall %}", "{{ (1, 2) }}{{ () }}{{ 1, }}", "{{ nums[1:][0] }}{{ nums[:2][-1] }}{{ nums[-2:-1] }}", "{{ not false and true }}", "{{ 'a' ~ ('b' if t else 'c') ~ 'd' }}",
    "{{ s[] }}", "{{ d[1,] }}", "{{ {(): 1}[] }}", "{{ s|upper(1) }}", "{{ s|first(1) }}", "{{ s|e(1) }}", "{{ nums|list(1) }}", "{{ s is defined n }}", "{{ s is string(1) }}", "{{ n is odd(1) }}",
    "{{ true|indent }}", "{{ undefinedthing|indent }}", "{{ nums|wordwrap(9) }}", "{{ nums|truncate(9) }}", "{{ nums|truncate(3, true, '', 0) }}", "{{ true|truncate }}",
    "{{ undefinedthing|truncate }}", "{{ n|truncate }}", "{{ ''|filesizeformat }}", "{{ 'x'|filesizeformat }}", "{{ '7'|filesizeformat }}", "{{ nums|filesizeformat }}", "{{ none|filesizeformat }}",
    "{{ undefinedthing|attr('x') }}", "{{ 'ıſΐΰև'.upper() }}", "{{ 'ıstanbul'|capitalize }}", "{{ 'ŉ'.title() }}{{ 'ǆ ǉ ǌ ǳ'.title() }}{{ 'ა'.title() }}{{ 'և'.title() }}{{ 'ßa ﬁx'.title() }}", "{{ 'ა'.upper() }}",
]


def render(template):
    try:
        return ENVIRONMENT.from_string(template).render(**VARIABLES)
    except Exception:
        return None


def stable(text):
    return text is None or " at 0x" not in text


templates = ["{{ " + expression + " }}" for expression in EXPRESSIONS] + TEMPLATES
rows = [[template, render(template)] for template in templates]
rows = [row for row in rows if stable(row[1])]
target = pathlib.Path(__file__).with_name("jinja-rows.json")
lines = ",\n".join("    " + json.dumps(row, ensure_ascii=False) for row in rows)
target.write_text('{\n  "variables": ' + json.dumps(VARIABLES, ensure_ascii=False) + ',\n  "rows": [\n' + lines + "\n  ]\n}\n", encoding="utf-8")
print(len(rows), "rows")
