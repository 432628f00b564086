import { exceptionId } from './spdx.ts'

/**
 * Names of licences as the worlds of packages write them, and what SPDX calls them. Left out are those that may mean several:
 * `BSD` alone, `Artistic` of another than Perl's worlds, `LGPL with exceptions`.
 * fedoraproject.org, "Fedora License Data" (the old short names); Debian, "Machine-readable copyright files", "License
 * specification"; wiki.alpinelinux.org; PyPI's classifiers; R, "share/licenses/license.db".
 */
const named: Record<string, string> = {
  '0BSD': 'bsd 0 clause, zero clause bsd, free public',
  'AFL-2.1': 'afl 2.1',
  'AFL-3.0': 'afl, academic free, academic free (afl), academic free 3.0',
  'Apache-1.0': 'asl 1.0',
  'Apache-1.1': 'asl 1.1, apache 1.1, apache software 1.1',
  'Apache-2.0':
    'asl 2.0, apache 2, apache 2.0, apache2, apache software, apache software 2.0, asl2, al2, apache 2.0 license, apache software foundation 2.0, asf 2.0, al 2.0, apachev2',
  'Artistic-1.0-Perl': 'artistic (perl), artistic perl, artistic 1.0 perl',
  'Artistic-2.0': 'artistic 2, artistic 2.0, perl artistic 2',
  'BSD-1-Clause': 'bsd 1 clause',
  'BSD-2-Clause': 'bsd 2, bsd 2 clause, 2 clause bsd, simplified bsd, freebsd, bsd (2 clause), bsd two clause, bsd2',
  'BSD-3-Clause':
    'bsd 3, bsd 3 clause, 3 clause bsd, new bsd, modified bsd, revised bsd, bsd (3 clause), bsd three clause, bsd3, bsd 3 clause new or revised, bsd new, new bsd license, edl 1.0',
  'BSD-4-Clause': 'bsd 4 clause, bsd with advertising, 4 clause bsd, original bsd, bsd (4 clause)',
  'BSD-4-Clause-UC': 'bsd 4 clause uc',
  'BSL-1.0': 'boost, bsl, boost software, boost software 1.0, boost software 1.0 (bsl 1.0), boost 1.0',
  'CC-BY-3.0': 'cc by 3.0, cc by, creative commons attribution 3.0',
  'CC-BY-4.0': 'cc by 4.0, creative commons attribution 4.0',
  'CC-BY-SA-3.0': 'cc by sa 3.0',
  'CC-BY-SA-4.0': 'cc by sa 4.0',
  'CC0-1.0': 'cc0, cc0 1.0, cc0 1.0 universal, cc0 1.0 universal (cc0 1.0) public domain dedication, creative commons zero',
  'CDDL-1.0': 'cddl, cddl 1.0, common development and distribution',
  'CECILL-2.1': 'cecill 2.1',
  'CECILL-2.0': 'cecill 2.0',
  'CECILL-B': 'cecill b',
  'CECILL-C': 'cecill c',
  'CPL-1.0': 'cpl, cpl 1.0, common public 1.0',
  'EPL-1.0': 'epl, epl 1.0, eclipse public 1.0',
  'EPL-2.0': 'epl 2.0, eclipse public 2.0, epl2',
  'EUPL-1.1': 'eupl 1.1',
  'EUPL-1.2': 'eupl 1.2',
  FSFAP: 'fsfap, all permissive',
  FSFUL: 'fsful',
  FSFULLR: 'fsfullr',
  FTL: 'ftl, freetype',
  HPND: 'hpnd, historical permission notice and disclaimer (hpnd), historical permission notice and disclaimer',
  ICU: 'icu',
  IJG: 'ijg',
  ISC: 'isc, isc (iscl)',
  JSON: 'json',
  'JasPer-2.0': 'jasper',
  Libpng: 'libpng',
  'LPPL-1.3c': 'lppl 1.3c',
  MIT: 'mit, expat, mit/x11, x11/mit, mit (expat), expat mit, mit expat, mitlicense, mit style, the mit',
  'MIT-0': 'mit no attribution, mit 0',
  'MIT-CMU': 'mit cmu, cmu mit',
  'MPL-1.0': 'mplv1.0, mpl 1.0',
  'MPL-1.1': 'mplv1.1, mpl 1.1, mozilla public 1.1, mozilla public 1.1 (mpl 1.1)',
  'MPL-2.0': 'mplv2.0, mpl, mpl2, mpl 2, mpl 2.0, mozilla public 2.0, mozilla public 2.0 (mpl 2.0), mozilla public',
  'MS-PL': 'ms pl, microsoft public',
  NCSA: 'ncsa, uoi-ncsa, university of illinois/ncsa open source',
  NTP: 'ntp',
  'OFL-1.1': 'ofl, sil 1.1, sil open font, ofl 1.1, sil open font 1.1, sil open font 1.1 (ofl 1.1)',
  'OLDAP-2.8': 'openldap, openldap 2.8',
  OpenSSL: 'openssl',
  'PHP-3.0': 'php 3.0',
  'PHP-3.01': 'php, php 3.01',
  PostgreSQL: 'postgresql',
  'PSF-2.0': 'psf, psf 2, psf 2.0, psfl, python software foundation',
  'Python-2.0': 'python, python 2.0',
  'QPL-1.0': 'qpl, qpl 1.0',
  Ruby: "ruby, ruby's",
  'SGI-B-2.0': 'sgi, sgi b 2.0',
  Sleepycat: 'sleepycat',
  'Spencer-94': 'hsrl',
  TCL: 'tcl, tcl/tk',
  'TCP-wrappers': 'tcp wrappers',
  'UPL-1.0': 'upl, upl 1.0, universal permissive, universal permissive (upl)',
  'Unicode-DFS-2016': 'unicode dfs 2016',
  Unlicense: 'unlicense, unlicense (unlicense)',
  Vim: 'vim',
  W3C: 'w3c',
  WTFPL: 'wtfpl, wtfpl 2',
  X11: 'x11',
  Xnet: 'xnet',
  ZPL: 'zpl',
  'ZPL-2.0': 'zplv2.0, zpl 2.0',
  'ZPL-2.1': 'zplv2.1, zpl 2.1, zope public, zope public 2.1',
  Zlib: 'zlib, zlib/libpng, zlib libpng',
  bcrypt: 'bcrypt',
  'bzip2-1.0.6': 'bzip2',
  curl: 'curl',
  'Artistic-1.0-Perl OR GPL-1.0-or-later': 'perl, perl 5, same as perl, same terms as perl',
  'CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0':
    'cddl + gplv2 with classpath exception, cddl/gplv2+ce, cddl+gpl, cddl + gpl 1.1, cddl or gplv2 with exceptions',
  'Apache-2.0 OR MIT': 'mit/apache 2.0, apache 2.0/mit',
  'MIT OR GPL-2.0-only': 'mit/gpl 2',
  'BSD-2-Clause OR Ruby': 'bsdl or ruby',
  'Apache-2.0 WITH LLVM-exception':
    'apache 2 llvm exceptions, apache 2.0 with llvm exceptions, apache 2.0 with llvm exception, asl 2.0 with exceptions',
  'GPL-2.0-only WITH Classpath-exception-2.0':
    'gpl 2 with classpath exception, gplv2 with classpath exception, gpl 2 ce, gpl2 with cpe, gpl 2 with the classpath exception, gpl2 with cpe',
  'GPL-2.0-only WITH Linux-syscall-note': 'gpl 2 with linux syscall note exception',
  'GPL-2.0-or-later WITH Autoconf-exception-2.0': 'gpl 2+ with autoconf exception',
  'GPL-2.0-or-later WITH Bison-exception-2.2': 'gpl 2+ with bison exception',
  'GPL-3.0-or-later WITH Autoconf-exception-3.0': 'gpl 3+ with autoconf exception',
  'GPL-3.0-or-later WITH Bison-exception-2.2': 'gpl 3+ with bison exception',
  'GPL-2.0-or-later WITH Libtool-exception': 'gpl 2+ with libtool exception',
  'GPL-3.0-or-later WITH Libtool-exception': 'gpl 3+ with libtool exception',
  'GPL-3.0-or-later WITH GCC-exception-3.1':
    'gpl 3+ with gcc exception, gplv3+ with gcc exception 3.1, gpl 3+ with gcc runtime library exception',
  'GPL-2.0-or-later WITH Font-exception-2.0': 'gpl 2+ with font exception',
  'GPL-1.0-or-later': 'gpl, gpl+, gnu gpl',
  'LGPL-2.0-or-later': 'lgpl, lgpl+, gnu lgpl',
}

/** Where the GNU licences are meant, in any of their spellings: which, what version, and whether later ones too. */
const gnu = /^(a|l|)gpl(1|2|21|3)(\+|or(?:any)?(?:later|newer|above|greater)|only|)$/
const gfdl = /^gfdl(niv|)(11|12|13)(\+|orlater|only|)$/

const versions: Record<string, string> = { '1': '1.0', '2': '2.0', '21': '2.1', '3': '3.0' }

/** In: a name as a package writes it. Out: an SPDX expression; undefined where it may mean several, or nothing. */
export function spdxNameOf(text: string): string | undefined {
  const key = keyOf(text)
  return byKey.get(key) ?? gnuName(key) ?? withException(text) ?? withoutBrackets(text)
}

/** `GPL-3+ with Texinfo exception`, where SPDX has an exception of that name, and the licence is one of GNU's. */
function withException(text: string): string | undefined {
  const [, licence, name] = /^(.{3,60}?),? with (?:the )?([\w.-]{2,60})[ -]exception(?: 2| 3)?$/i.exec(text) ?? []
  const exception = name === undefined ? undefined : exceptionId(`${name}-exception`)
  const base = licence === undefined || exception === undefined ? undefined : gnuName(keyOf(licence))
  return base === undefined ? undefined : `${base} WITH ${exception}`
}

/** `BSD License (3-clause)` has been asked for as a whole; `GNU General Public License v3 (GPLv3)` says it twice. */
function withoutBrackets(text: string): string | undefined {
  const [, before] = /^(.+\S)\s*\([^()]*\)$/.exec(text) ?? []
  const key = before === undefined ? '' : keyOf(before)
  return gnuName(key) ?? (/\d/.test(key) ? byKey.get(key) : undefined)
}

/** Letter case, blanks, marks, and words that all of them have count for nothing: `Apache License, Version 2.0` is `apache2`. */
function keyOf(text: string): string {
  return text
    .slice(0, 200)
    .toLowerCase()
    .replaceAll(/gnu (?:general public|gpl)/g, 'gpl')
    .replaceAll(/general public/g, 'gpl')
    .replaceAll(/gnu (?:lesser|library) (?:general public|gpl)|(?:lesser|library) gpl|gnu lgpl/g, 'lgpl')
    .replaceAll(/(?:gnu )?affero (?:general public|gpl)/g, 'agpl')
    .replaceAll(/gnu free documentation|gnu fdl/g, 'gfdl')
    .replaceAll(/\b(?:the|licen[cs]es?d?|version|under)\b/g, ' ')
    .replaceAll(/>=\s*([\d.]+)/g, '$1+')
    .replaceAll(/==\s*/g, '')
    .replaceAll(/\bor (?:\(at your option\) )?any later(?: version)?/g, '+')
    .replaceAll(/(?<=[a-z ]|^)v(?=\.?\s?\d)/g, '')
    .replaceAll(/(\d)\.0(?!\d)/g, '$1')
    .replaceAll(/[^a-z0-9+]/g, '')
}

function gnuName(key: string): string | undefined {
  const [, letter, version = '', later] = gnu.exec(key) ?? []
  if (letter !== undefined && isVersionOf(letter, version))
    return `${letter.toUpperCase()}GPL-${versions[version] ?? ''}-${later === '' || later === 'only' ? 'only' : 'or-later'}`
  const [, invariants, edition = '', newer] = gfdl.exec(key) ?? []
  if (invariants === undefined) return undefined
  const number = `${edition.slice(0, 1)}.${edition.slice(1)}`
  return `GFDL-${number}${invariants === '' ? '' : '-no-invariants'}-${newer === '' || newer === 'only' ? 'only' : 'or-later'}`
}

function isVersionOf(letter: string, version: string): boolean {
  if (letter === 'l') return version !== '1'
  return letter === 'a' ? version === '3' || version === '1' : version !== '21'
}

const byKey: ReadonlyMap<string, string> = new Map(
  Object.entries(named).flatMap(([spdx, names]) => names.split(', ').map((name) => [keyOf(name), spdx] as const)),
)
