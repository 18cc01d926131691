//! A DNS server with the records that a test gives it, and with faults when a test wants them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::net::xfer::Protocol;
use hickory_server::proto::op::{Edns, Header, HeaderCounts, Metadata, ResponseCode};
use hickory_server::proto::rr::rdata::{CNAME, SOA, TXT};
use hickory_server::proto::rr::{Name, RData, Record, RecordType};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::{TcpListener, UdpSocket};

/// How long answers hold, in seconds.
const TTL: u32 = 300;

/// What is wrong with the server.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// It answers SERVFAIL.
    ServFail,
    /// It does not answer.
    Silent,
    /// It answers after this time.
    Slow(Duration),
    /// Over UDP it says that the answer is too long; over TCP it gives it.
    Truncated,
}

#[derive(Default)]
struct Zone {
    records: BTreeMap<Name, Vec<RData>>,
    /// By name; the root stands for all names.
    faults: BTreeMap<Name, Fault>,
    questions: Vec<String>,
}

/// The running server, on UDP and TCP of one port; it ends when it is dropped.
pub(crate) struct DnsServer {
    /// For `PILLARBOX_DNS_SERVERS`.
    pub(crate) address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    _server: Server<Handler>,
}

impl DnsServer {
    /// Starts with these records, a line each: name, type, data as in a zone file, as in `example.net MX 10 mx.example.net.`.
    /// The data of TXT is the text as it is, and is cut into pieces of 255 octets. A name may begin with `*.`.
    pub(crate) async fn start(records: &[&str]) -> Self {
        let zone = Arc::new(Mutex::new(Zone::default()));
        let mut server = Server::new(Handler(Arc::clone(&zone)));
        let (udp, tcp) = sockets().await;
        let address = udp.local_addr().unwrap();
        server.register_socket(udp);
        server.register_listener(tcp, Duration::from_mins(1), 16);
        let this = Self { address, zone, _server: server };
        this.add(records);
        this
    }

    /// Adds records.
    pub(crate) fn add(&self, records: &[&str]) {
        let mut zone = self.zone.lock().unwrap();
        for line in records {
            let mut words = line.splitn(3, ' ');
            let (name, kind, data) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            let data = if kind == "TXT" {
                let pieces = data.as_bytes().chunks(255).map(|piece| String::from_utf8(piece.to_vec()).unwrap());
                RData::TXT(TXT::new(pieces.collect()))
            } else {
                RData::try_from_str(kind.parse().unwrap(), data).unwrap_or_else(|error| panic!("{line}: {error}"))
            };
            zone.records.entry(lower(name)).or_default().push(data);
        }
    }

    /// Takes away all records of a name.
    pub(crate) fn remove(&self, name: &str) {
        self.zone.lock().unwrap().records.remove(&lower(name));
    }

    /// Goes wrong for a name and what is below it; `.` for everything.
    pub(crate) fn break_down(&self, name: &str, fault: Fault) {
        self.zone.lock().unwrap().faults.insert(lower(name), fault);
    }

    /// Everything works again.
    pub(crate) fn recover(&self) {
        self.zone.lock().unwrap().faults.clear();
    }

    /// What was asked so far, as `example.net TXT`, in order, with repetitions.
    pub(crate) fn questions(&self) -> Vec<String> {
        self.zone.lock().unwrap().questions.clone()
    }

    /// As it stands in the setting.
    pub(crate) fn setting(&self) -> String {
        self.address.to_string()
    }
}

/// A port that is free for both protocols.
async fn sockets() -> (UdpSocket, TcpListener) {
    for _ in 0..100 {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
    panic!("no port is free for UDP and TCP");
}

fn lower(name: &str) -> Name {
    let mut name = Name::from_str_relaxed(name).unwrap().to_lowercase();
    name.set_fqdn(true);
    name
}

/// What the server says to one question.
struct Reply {
    code: ResponseCode,
    answers: Vec<Record>,
    truncated: bool,
}

impl Zone {
    fn fault(&self, name: &Name) -> Option<Fault> {
        self.faults.iter().filter(|(zone, _)| zone.zone_of(name)).map(|(_, fault)| *fault).next_back()
    }

    /// The records of a name, else those of the wildcard that covers it (RFC 4592, without its finer points).
    fn find(&self, name: &Name) -> Option<&Vec<RData>> {
        let covering = || Name::from_ascii("*").unwrap().append_domain(&name.base_name()).ok();
        self.records.get(name).or_else(|| self.records.get(&covering()?))
    }

    fn answer(&self, name: &Name, kind: RecordType) -> (ResponseCode, Vec<Record>) {
        let (mut name, mut answers) = (name.clone(), Vec::new());
        for _ in 0..8 {
            let Some(found) = self.find(&name) else { break };
            let alias =
                found.iter().find_map(|data| if let RData::CNAME(CNAME(to)) = data { Some(to.to_lowercase()) } else { None });
            let wanted = |data: &&RData| data.record_type() == kind || alias.is_some() && data.record_type() == RecordType::CNAME;
            answers.extend(found.iter().filter(wanted).map(|data| Record::from_rdata(name.clone(), TTL, data.clone())));
            match alias {
                Some(to) if kind != RecordType::CNAME => name = to,
                _ => return (ResponseCode::NoError, answers),
            }
        }
        let exists = self.records.keys().any(|known| name.zone_of(known));
        (if exists { ResponseCode::NoError } else { ResponseCode::NXDomain }, answers)
    }
}

struct Handler(Arc<Mutex<Zone>>);

impl Handler {
    /// `None` where it says nothing at all.
    async fn reply(&self, name: &Name, kind: RecordType, protocol: Protocol) -> Option<Reply> {
        let fault = {
            let mut zone = self.0.lock().unwrap();
            zone.questions.push(format!("{} {kind}", name.to_ascii().trim_end_matches('.')));
            zone.fault(name)
        };
        let mut reply = Reply { code: ResponseCode::ServFail, answers: Vec::new(), truncated: false };
        match fault {
            Some(Fault::ServFail) => return Some(reply),
            Some(Fault::Silent) => return None,
            Some(Fault::Slow(time)) => tokio::time::sleep(time).await,
            Some(Fault::Truncated) if protocol == Protocol::Udp => {
                (reply.code, reply.truncated) = (ResponseCode::NoError, true);
                return Some(reply);
            }
            Some(Fault::Truncated) | None => {}
        }
        (reply.code, reply.answers) = self.0.lock().unwrap().answer(name, kind);
        Some(reply)
    }
}

#[async_trait::async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, mut handle: R) -> ResponseInfo {
        let info = request.request_info().unwrap();
        let (name, kind) = (Name::from(info.query.name().clone()).to_lowercase(), info.query.query_type());
        let mut metadata = Metadata::response_from_request(info.metadata);
        metadata.authoritative = true;
        metadata.recursion_available = true;
        let Some(reply) = self.reply(&name, kind, info.protocol).await else {
            return Header { metadata, counts: HeaderCounts::default() }.into();
        };
        (metadata.response_code, metadata.truncation) = (reply.code, reply.truncated);
        // Without it, nobody keeps that there is nothing (RFC 2308 section 5).
        let zone = name.trim_to(2);
        let soa = SOA::new(zone.clone(), zone.clone(), 1, 3600, 600, 86_400, TTL);
        let soa = (reply.answers.is_empty() && !reply.truncated && reply.code != ResponseCode::ServFail)
            .then(|| Record::from_rdata(zone, TTL, RData::SOA(soa)));
        let mut edns = Edns::new();
        edns.set_max_payload(request.max_payload());
        let mut builder = MessageResponseBuilder::from_message_request(request);
        builder.edns(&edns);
        let response = builder.build(metadata, &reply.answers, [], soa.as_ref(), []);
        handle.send_response(response).await.unwrap()
    }
}
