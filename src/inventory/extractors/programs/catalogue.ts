/** How a program that no package brought is known: by the name of its file, and by the text that it holds of itself. */
export interface KnownProgram {
  /** As most call it. */
  name: string
  /** Names of its files, without folders. */
  files: RegExp
  /**
   * What it says of itself, one character a byte, at most `longestText` of them; the first that matches counts. The
   * group `version` is the version; `name` another program's name, where several say the same.
   */
  texts: (file: RegExpExecArray) => RegExp[]
  /** A text: what it says counts without the head of a program. */
  isText?: true
}

export const longestText = 512

const always =
  (...texts: RegExp[]): KnownProgram['texts'] =>
  () =>
    texts

/** Names that packages of BusyBox give its one program, as hard links: the first of them is what an archive holds. */
const busybox = /^(?:busybox(?:\.[a-z]+)?|\[\[?|acpid|add-shell|arch|ash|sh)$/

/** The version, and right behind it the host (a container's has 12 digits) and the time of the build: Redis and Valkey. */
const builds = [
  /(?<!\d)(?<version>\d+\.\d+\.\d+)buildkitsandbox-\d{9,}/,
  /(?<!\d)(?<version>\d+\.\d+\.\d+)[0-9a-f]{12}-\d{9,}/,
  /(?<!\d)(?<version>\d+\.\d+\.\d+)[a-z][\w.-]{0,60}-\d{9,}/,
]

/** By facts that the programs print; checked with programs of Debian, and with the bytes that others collected. */
export const catalogue: readonly KnownProgram[] = [
  { name: 'bash', files: /^bash$/, texts: always(/@\(#\)Bash version (?<version>\d+\.\d+\.\d+)\(\d+\) [a-z0-9]+ GNU/) },
  { name: 'bun', files: /^bun$/, texts: always(/[Bb]un v?(?<version>\d+\.\d+\.\d+)/, /bun-(?<version>\d+\.\d+\.\d+)/) },
  { name: 'busybox', files: busybox, texts: always(/BusyBox v(?<version>\d+\.\d+\.\d+)/) },
  {
    name: 'curl',
    files: /^(?:curl$|libcurl(?:-gnutls|-nss)?\.so)/,
    texts: always(/(?<![a-z])curl[/ ](?<version>\d+\.\d+\.\d+)/, /libcurl\/(?<version>\d+\.\d+\.\d+)/),
  },
  {
    name: 'dart',
    files: /^dart$/,
    texts: always(
      /\0(?<version>\d+\.\d+\.\d+(?:-\d+(?:\.\d+)?\.beta)?) \((?:stable|beta|dev)\)/,
      /\0(?<version>\d+\.\d+\.\d+(?:-\d+(?:\.\d+)?\.beta)?) /,
    ),
  },
  {
    name: 'deno',
    files: /^deno$/,
    texts: always(
      /Deno\/(?<version>\d+\.\d+\.\d+)(?:Deno\/|cli\/)?/,
      /deno-(?:canary\/)?[0-9a-f]{40}(?:release\/v)?(?<version>\d+\.\d+\.\d+)/,
      /(?<version>\d+\.\d+\.\d+)[0-9a-f]{40}DENO/,
    ),
  },
  {
    name: 'erlang',
    files: /^(?:erlexec|beam\.smp|liberts_internal\.a)$/,
    texts: always(
      /\/src\/otp(?:_src_|-)(?<version>\d+\.\d+(?:\.\d+){0,2}(?:-rc\d)?)\/erts\//,
      /\0(?<version>\d+\.\d+(?:\.\d+){0,2}(?:-rc\d)?)\0+Erlang\/OTP/,
      /Erlang\/OTP[^\0]{1,200}\0+(?<version>\d+\.\d+(?:\.\d+){0,2}(?:-rc\d)?)\0/,
    ),
  },
  {
    name: 'ffmpeg',
    files: /^(?:ffmpeg$|lib(?:avcodec|avformat|avutil|swresample)[-.])/,
    texts: always(/(?:FFmpeg|%s) version (?<version>\d+\.\d+(?:\.\d+)?)/),
  },
  {
    name: 'fluent-bit',
    files: /^fluent-bit$/,
    texts: always(/\0(?<version>\d+\.\d+\.\d+)\0{1,3}(?:\x1b\[1m\0)?(?:%s)?Fluent/),
  },
  {
    name: 'haproxy',
    files: /^haproxy$/,
    texts: always(
      /version (?<version>\d+\.\d+(?:\.|-dev|-rc)\d+)(?:-[a-z0-9]{7})?, released 20/,
      /HA-?Proxy version (?<version>\d+\.\d+(?:\.|-dev)\d+)/,
      /(?<version>\d+\.\d+(?:\.|-dev)\d+)-[0-9a-zA-Z+~.-]{3,40}\0[^]{0,300}?HA-?Proxy version/,
      /(?<version>\d+\.\d+(?:\.|-dev)\d+)-[0-9a-zA-Z]{7}[^\n]{1,300}HAProxy version/,
    ),
  },
  { name: 'heimdal', files: /^libkrb5\.so/, texts: always(/\$Version: +Heimdal +(?<version>\d+(?:\.\d+){1,2})/) },
  { name: 'httpd', files: /^(?:httpd|apache2)$/, texts: always(/Apache\/(?<version>\d+\.\d+\.\d+)/) },
  { name: 'krb5', files: /^libkrb5\.so/, texts: always(/KRB5_BRAND: +krb5-\S{1,40} +(?<version>\d+(?:\.\d+){1,2})(?:\s|\0)/) },
  { name: 'lighttpd', files: /^lighttpd$/, texts: always(/\0lighttpd\/(?<version>\d+\.\d+\.\d+)\0/) },
  {
    name: 'mariadb',
    files: /^(?:mariadbd?|mysqld?)$/,
    texts: always(/(?<!\d)(?<version>\d+\.\d+\.\d+)-MariaDB/, /(?:^|\/)mariadb-(?<version>\d+\.\d+\.\d+)-/m),
  },
  { name: 'memcached', files: /^memcached$/, texts: always(/memcached[\s/](?<version>\d+\.\d+\.\d+)/) },
  {
    name: 'mongodb',
    files: /^mongo[ds]$/,
    texts: always(/(?<![\d.])(?<version>\d+\.\d+\.\d+)\0(?:tcmalloc|\0*heap_size|\0*cppdefines)/),
  },
  {
    name: 'mysql',
    files: /^(?:mysqld?|ndbd|ndbmtd|ndb_mgmd)$/,
    texts: always(
      /\/(?<name>mysql-cluster)-gpl-(?<version>\d+\.\d+\.\d+)\//,
      /\/(?<name>percona-server)-(?<version>\d+\.\d+\.\d+(?:-\d+)?)/,
      /\/(?<name>Percona-XtraDB-Cluster)-(?<version>\d+\.\d+\.\d+(?:-\d+)?)/,
      /\/mysql-(?<version>\d+\.\d+\.\d+)(?:-[a-z0-9]+)?\//,
      /\0(?<version>\d+\.\d+\.\d+)\0+mysql/,
    ),
  },
  {
    name: 'nginx',
    files: /^(?:nginx|openresty|angie)(?:-debug)?$/,
    texts: always(
      /nginx version: (?<name>[a-z-]{3,20})\/(?<version>\d+\.\d+\.\d+(?:\.\d+)?)/,
      /\0(?<name>angie)\/(?<version>\d+\.\d+\.\d+)\0/,
    ),
  },
  {
    name: 'node',
    files: /^node(?:js)?$/,
    texts: always(/node\.js\/v(?<version>\d+\.\d+\.\d+)/, /\0(?:node )?v(?<version>(?:0|4|5|6)\.\d+\.\d+)\0/),
  },
  { name: 'openldap', files: /^(?:ldapsearch|slapd)$/, texts: always(/\$OpenLDAP: (?:ldapsearch|slapd) (?<version>\d+\.\d+\.\d+)/) },
  {
    name: 'openssl',
    files: /^(?:openssl$|lib(?:ssl|crypto)(?:\.so|-[0-9.]+\.so|\.dylib))/,
    texts: always(
      /\((?:compatible; )(?<name>AWS-LC) (?<version>\d+\.\d+\.\d+)\)/,
      /OpenSSL (?<version>\d+\.\d+\.\d+[a-z]{0,2}(?:-(?:alpha|beta|pre|rc)\d+)?)(?:[- ]?[a-z]{0,8}) {1,2}\d{1,2} [A-Z][a-z]{2} \d{4}/,
    ),
  },
  {
    name: 'perl',
    files: /^(?:perl(?:5\.\d+(?:\.\d+)?)?$|libperl\.so)/,
    texts: always(/\/lib\/perl\d\/(?:site_perl\/)?(?<version>5\.\d+\.\d+)/, /\/perl\/(?<version>5\.\d+\.\d+)(?![\d.])/),
  },
  {
    name: 'php',
    files: /^(?:php(?:-cgi|-fpm|dbg)?(?:\d[\d.]*)?$|libphp\d*\.so)/,
    texts: always(/X-Powered-By: PHP\/(?<version>\d+\.\d+\.\d+(?:(?:alpha|beta|RC)\d+)?)/),
  },
  {
    name: 'postgresql',
    files: /^postgres$/,
    texts: always(/[\0?]PostgreSQL (?<version>\d+(?:\.\d+){0,2}(?:(?:alpha|beta|rc)\d+)?)[ \0]/),
  },
  { name: 'proftpd', files: /^proftpd$/, texts: always(/\0ProFTPD Version (?<version>\d+\.\d+\.\d+[a-z]?)\0/) },
  {
    name: 'python',
    files: /^(?:python|libpython)(?<minor>\d\.\d+)[dmtu]*(?:$|\.so)/,
    texts: (file) => [new RegExp(`\\0(?<version>${file.groups?.['minor']?.replace('.', '\\.')}\\.\\d+(?:(?:a|b|rc)\\d+)?\\+?)\\0`)],
  },
  {
    name: 'redis',
    files: /^redis-(?:server|sentinel|check-rdb)$/,
    texts: always(...builds, /Redis version (?<version>\d+\.\d+\.\d+)/),
  },
  {
    name: 'ruby',
    files: /^(?:ruby(?:\d\.\d+)?$|libruby(?:-?[\d.]+)?\.so)/,
    texts: always(
      /ruby (?<version>(?:1\.\d|2\.0)\.\d+p\d+) \(\d{4}-\d\d-\d\d/,
      /ruby (?<version>\d+\.\d+\.\d+(?:(?:preview|rc|dev)\d*)?)(?:p\d+)? \(\d{4}-\d\d-\d\d/,
    ),
  },
  {
    name: 'sqlite',
    files: /^(?:sqlite3$|libsqlite3\.so)/,
    texts: always(/\0(?<version>3\.\d{1,2}\.\d{1,2})\0/),
  },
  { name: 'swipl', files: /^swipl$/, texts: always(/swipl-(?<version>\d+\.\d+\.\d+)\//) },
  { name: 'util-linux', files: /^getopt$/, texts: always(/\0util-linux (?<version>\d+\.\d+(?:\.\d+)?)\0/) },
  {
    name: 'valkey',
    files: /^valkey-(?:server|sentinel)$/,
    texts: always(...builds),
  },
  {
    name: 'wordpress',
    files: /^version\.php$/,
    isText: true,
    texts: always(/@package WordPress[^]{0,400}\$wp_version = '(?<version>\d+\.\d+(?:\.\d+)?(?:-[a-z]+\d*)?)'/),
  },
  { name: 'wp-cli', files: /^wp(?:-cli\.phar)?$/, isText: true, texts: always(/wp-cli\/wp-cli (?<version>\d+\.\d+\.\d+)/) },
  {
    name: 'xz',
    files: /^(?:xz$|liblzma\.so)/,
    texts: always(/\(XZ Utils\) (?<version>\d+\.\d+\.\d+)/, /\0(?<version>5\.\d{1,2}\.\d{1,2}(?:alpha|beta)?)\0/),
  },
  { name: 'xtrabackup', files: /^xtrabackup$/, texts: always(/\/percona-xtrabackup-(?<version>\d+\.\d+\.\d+(?:-\d+)?)/) },
  { name: 'zstd', files: /^zstd$/, texts: always(/\0v(?<version>\d+\.\d+\.\d+)\0/) },
]
