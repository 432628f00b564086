/**
 * Applications of Erlang/OTP and of Elixir, now and in releases that images still have. The registry of Hex takes no package
 * of these names (hexpm, `reserved packages`), so that a name of them is theirs.
 */
const otp =
  'appmon asn1 common_test compiler cosEvent cosEventDomain cosFileTransfer cosNotification cosProperty cosTime cosTransactions ' +
  'crypto debugger dialyzer diameter edoc eldap epmd erl_docgen erl_interface erts et eunit ftp gs hipe ic inets jinterface kernel ' +
  'megaco mnesia nteventlog observer odbc orber os_mon ose otp_mibs parsetools percept pman public_key reltool runtime_tools sasl ' +
  'snmp ssh ssl stdlib syntax_tools test_server tftp toolbar tools tv typer webtool wx xmerl'
const elixir = 'eex elixir ex_unit iex logger mix'

export const bundledApplications: ReadonlySet<string> = new Set(`${otp} ${elixir}`.split(' '))
