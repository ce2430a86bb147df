//! Lesson 01 · first socket. Run `make lesson-01`, then its PHP twin with `make php-01`.

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;

fn main() -> Result<()> {
    // The first socket. It has no address and no peer yet: those are the next lessons.
    let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    println!("A socket: created with three choices, then closed.");
    socket_close(socket);

    // Break it: uncomment the next line. PHP finds this mistake when it runs;
    // the Rust compiler finds it before (error E0382).
    // socket_close(socket);

    // The three choices. PHP's constants are plain numbers, and so are these.
    let domains = [
        ("AF_INET", AF_INET, "IPv4: TCP and UDP"),
        ("AF_INET6", AF_INET6, "IPv6: TCP and UDP"),
        ("AF_UNIX", AF_UNIX, "this machine only, and fast"),
    ];
    println!("\n1. Domain: which addresses does the socket use?");
    for (name, domain, meaning) in domains {
        println!("   {name:<15} {domain:>4}  {meaning}");
    }

    let types = [
        ("SOCK_STREAM", SOCK_STREAM, "a stream of bytes: ordered, reliable, both ways (TCP)"),
        ("SOCK_DGRAM", SOCK_DGRAM, "datagrams: no connection, no order, no promise (UDP)"),
        ("SOCK_SEQPACKET", SOCK_SEQPACKET, "records: ordered, reliable, connected, kept apart"),
        ("SOCK_RAW", SOCK_RAW, "a protocol's own packets, without TCP or UDP"),
        ("SOCK_RDM", SOCK_RDM, "datagrams: reliable, but in any order"),
    ];
    println!("\n2. Type: what travels, and with which promise?");
    for (name, r#type, meaning) in types {
        println!("   {name:<15} {type:>4}  {meaning}");
    }

    // A protocol is a number too; /etc/protocols knows its name. An unknown name has no number:
    // PHP says false, Rust says None. The 0 of "ip" is a number, and cannot be taken for None.
    let names = [
        ("ip", "none named: the default of domain and type"),
        ("icmp", "control messages; ping uses them"),
        ("tcp", "a byte stream, sent again until acknowledged"),
        ("udp", "datagrams, with the least overhead"),
        ("nosuch", "no such protocol: false in PHP, None in Rust"),
    ];
    println!("\n3. Protocol: who does the work?");
    for (name, meaning) in names {
        match getprotobyname(name) {
            Some(protocol) => println!("   {name:<15} {protocol:>4}  {meaning}"),
            None => println!("   {name:<15}    -  {meaning}"),
        }
    }

    let constants = [
        ("IPPROTO_IP", IPPROTO_IP, "protocol 0: the kernel takes the default"),
        ("SOL_TCP", SOL_TCP, "tcp, without looking it up"),
        ("SOL_UDP", SOL_UDP, "udp, without looking it up"),
        ("SOMAXCONN", SOMAXCONN, "how many callers may queue at a listener (lesson 03)"),
        ("PHP_BINARY_READ", PHP_BINARY_READ, "read what has arrived (lesson 03)"),
        ("PHP_NORMAL_READ", PHP_NORMAL_READ, "read up to the end of the line (lesson 06)"),
        ("SOL_SOCKET", SOL_SOCKET, "options that every socket has (lesson 14)"),
    ];
    println!("\n4. Constants you meet next");
    for (name, value, meaning) in constants {
        println!("   {name:<15} {value:>4}  {meaning}");
    }

    // Now try every combination, and close at once what the kernel grants.
    let icmp = getprotobyname("icmp").unwrap_or(1);
    let protocols = [IPPROTO_IP, icmp, SOL_TCP, SOL_UDP];
    println!("\n5. Every combination: granted, or the number of the kernel's error");
    print!("   domain   type          ");
    for protocol in protocols {
        let title = format!("{} {protocol}", getprotobynumber(protocol).unwrap_or_default());
        print!("{title:>10}");
    }
    println!();
    for (domain_name, domain, _) in domains {
        for (type_name, r#type, _) in types {
            print!("   {domain_name:<9}{type_name:<14}");
            for protocol in protocols {
                match socket_create(domain, r#type, protocol) {
                    Ok(socket) => {
                        socket_close(socket);
                        print!("   granted");
                    }
                    Err(error) => {
                        let number = format!("[{}]", error.code());
                        print!("{number:>10}");
                    }
                }
            }
            println!();
        }
    }
    println!("   AF_UNIX has one protocol of its own. Its number is 1 as well; it is not icmp.");

    // An error holds PHP's whole sentence: what a warning would have said.
    let refused = [
        ("SOCK_STREAM, udp", SOCK_STREAM, SOL_UDP, "UDP carries datagrams; it has no stream to offer."),
        ("SOCK_SEQPACKET, 0", SOCK_SEQPACKET, 0, "A type is no flag: some protocol has to do the work."),
        ("SOCK_RDM, 0", SOCK_RDM, 0, "The same: no IPv4 protocol of this kernel does it."),
        ("SOCK_RAW, icmp", SOCK_RAW, icmp, "For root, or with the capability CAP_NET_RAW."),
        ("SOCK_DGRAM, icmp", SOCK_DGRAM, icmp, "Ping without root: net.ipv4.ping_group_range decides."),
    ];
    println!("\n6. Five of them in the kernel's words, for AF_INET");
    for (choice, r#type, protocol, meaning) in refused {
        println!("   {choice:<17}  {meaning}");
        match socket_create(AF_INET, r#type, protocol) {
            Ok(_socket) => println!("      granted to this user"),
            Err(error) => println!("      {error}"),
        }
    }
    Ok(())
}
