<?php
// An operator's custom_login.php over a directory, as they grow: several servers, an account that searches, a bind as
// the user, groups that become rights. The test writes @PLACES@ in.

ldap_set_option(null, LDAP_OPT_X_TLS_CACERTFILE, '@CA@');
ldap_set_option(null, LDAP_OPT_X_TLS_REQUIRE_CERT, LDAP_OPT_X_TLS_DEMAND);

$servers = array(@SERVERS@);
$base = '@BASE@';
$rights = array(
    'noc' => array('can_cdr' => true, 'can_pcap' => '1', 'enable_sensors' => array(2, 3)),
    'outer' => array('is_admin' => true),
);

function connection($servers)
{
    foreach ($servers as $server) {
        $ldap = ldap_connect($server);
        ldap_set_option($ldap, LDAP_OPT_PROTOCOL_VERSION, 3);
        ldap_set_option($ldap, LDAP_OPT_REFERRALS, 0);
        ldap_set_option($ldap, LDAP_OPT_NETWORK_TIMEOUT, 2);
        if (@ldap_bind($ldap, '@SERVICE@', '@SECRET@')) {
            return $ldap;
        }
        debug_log("$server: " . ldap_error($ldap));
    }
    throw new RuntimeException('no directory server answers');
}

function custom_login($user, $password)
{
    global $servers, $base, $rights;
    if ($password === '' || strpos($password, "\0") !== false) {
        return array('error' => 'no password to bind with');
    }
    $ldap = connection($servers);
    $name = ldap_escape($user, '', LDAP_ESCAPE_FILTER);
    $found = ldap_get_entries($ldap, ldap_search($ldap, $base, "(uid=$name)", array('cn', 'uidNumber', 'memberOf')));
    if ($found['count'] !== 1 || !isset($found[0]['uidnumber'])) {
        return null;
    }
    $entry = $found[0];
    if (!@ldap_bind($ldap, $entry['dn'], $password)) {
        return false;
    }
    $user = array('id' => (int) $entry['uidnumber'][0], 'username' => $user, 'name' => $entry['cn'][0]);
    foreach ($rights as $group => $keys) {
        for ($at = 0; $at < ($entry['memberof']['count'] ?? 0); $at++) {
            if (stripos($entry['memberof'][$at], "cn=$group,") === 0) {
                $user += $keys;
            }
        }
    }
    echo 'logged in';
    return $user;
}
