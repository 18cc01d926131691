//! An authority that speaks ACME (RFC 8555) as far as an order needs it: it checks each request's signature, nonce and address,
//! fetches the proofs over HTTP, and signs what was asked for, if it is just that.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{BasicConstraints, CertificateParams, CertificateSigningRequestParams, IsCa, Issuer, KeyPair};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use rustls::pki_types::{CertificateSigningRequestDer, PrivateKeyDer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::scratch::Scratch;

/// The running authority.
pub(crate) struct Authority {
    base: String,
    state: Arc<Shared>,
    dir: Scratch,
    /// Its root, in PEM: signs its own server's certificate and those that it issues.
    pub(crate) root_pem: String,
}

struct Shared {
    base: String,
    issuer: Issuer<'static, KeyPair>,
    root_pem: String,
    state: Mutex<Records>,
    /// Where all names lead.
    target: watch::Sender<Option<SocketAddr>>,
}

#[derive(Default)]
struct Records {
    nonces: HashSet<String>,
    /// Keys by account.
    accounts: HashMap<String, Value>,
    orders: Vec<Order>,
    refusals: Vec<String>,
}

#[derive(Default)]
struct Order {
    names: Vec<String>,
    /// By name: the token, and what became of it.
    proofs: Vec<(String, &'static str, Option<String>)>,
    certificate: Option<String>,
}

impl Authority {
    pub(crate) async fn start() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let own_key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&own_key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let own_key = PrivateKeyDer::try_from(own_key.serialize_der()).unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![own.der().clone()], own_key).unwrap();
        let state = Arc::new(Shared {
            base: base.clone(),
            issuer,
            root_pem: root.pem(),
            state: Mutex::default(),
            target: watch::channel(None).0,
        });
        let app = Router::new()
            .route("/directory", get(directory))
            .route("/nonce", any(nonce))
            .route("/account", any(account))
            .route("/order", any(new_order))
            .route("/order/{order}", any(order))
            .route("/authz/{order}/{name}", any(authorization))
            .route("/challenge/{order}/{name}", any(challenge))
            .route("/finalize/{order}", any(finalize))
            .route("/certificate/{order}", any(certificate))
            .with_state(Arc::clone(&state));
        let listener = Tls { listener, acceptor: TlsAcceptor::from(Arc::new(config)) };
        tokio::spawn(async move { axum::serve(listener, app).await });
        let dir = Scratch::new(0o700);
        std::fs::write(dir.path().join("root.pem"), root.pem()).unwrap();
        Self { base, state, dir, root_pem: root.pem() }
    }

    pub(crate) fn directory(&self) -> String {
        format!("{}/directory", self.base)
    }

    pub(crate) fn root_file(&self) -> std::path::PathBuf {
        self.dir.path().join("root.pem")
    }

    /// All names lead here; until this is said, checks wait.
    pub(crate) fn lead_to(&self, address: SocketAddr) {
        self.state.target.send_replace(Some(address));
    }

    /// The names of each order.
    pub(crate) fn orders(&self) -> Vec<Vec<String>> {
        self.state.state.lock().unwrap().orders.iter().map(|order| order.names.clone()).collect()
    }

    /// What was wrong with requests.
    pub(crate) fn refusals(&self) -> Vec<String> {
        self.state.state.lock().unwrap().refusals.clone()
    }
}

struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Tls {
    type Io = tokio_rustls::server::TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, peer) = self.listener.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

type Ctx = State<Arc<Shared>>;

fn decode(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap_or_default()).unwrap_or_default()
}

impl Shared {
    fn answer(&self, status: StatusCode, location: Option<String>, body: impl Into<Body>) -> Response {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        self.state.lock().unwrap().nonces.insert(nonce.clone());
        let mut response = match body.into() {
            Body::Json(json) => (status, axum::Json(json)).into_response(),
            Body::Text(text) => (status, text).into_response(),
        };
        response.headers_mut().insert("replay-nonce", HeaderValue::from_str(&nonce).unwrap());
        if let Some(location) = location {
            response.headers_mut().insert("location", HeaderValue::from_str(&location).unwrap());
        }
        response
    }

    fn refuse(&self, kind: &str, detail: impl Into<String>) -> Response {
        let detail = detail.into();
        self.state.lock().unwrap().refusals.push(format!("{kind}: {detail}"));
        let body = json!({ "type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail, "status": 400 });
        self.answer(StatusCode::BAD_REQUEST, None, body)
    }

    /// The payload and the key of a request that is signed as it should be (RFC 8555 section 6.2).
    fn open(&self, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<(Value, Value), Box<Response>> {
        let wrong = |detail: &str| Box::new(self.refuse("malformed", format!("{}: {detail}", uri.path())));
        if headers.get("content-type").is_none_or(|kind| kind != "application/jose+json") {
            return Err(wrong("not application/jose+json"));
        }
        let jws: Value = serde_json::from_slice(body).map_err(|_| wrong("not JSON"))?;
        let header: Value = serde_json::from_slice(&decode(&jws["protected"])).map_err(|_| wrong("no protected header"))?;
        if header["alg"] != "ES256" || header["url"] != format!("{}{}", self.base, uri.path()) {
            return Err(wrong("another algorithm or address"));
        }
        let used = header["nonce"].as_str().is_some_and(|nonce| self.state.lock().unwrap().nonces.remove(nonce));
        if !used {
            return Err(Box::new(self.refuse("badNonce", "a nonce that was not given out, or was used".to_owned())));
        }
        let is_new = uri.path() == "/account";
        let key = match (header["kid"].as_str(), is_new) {
            (None, true) => header["jwk"].clone(),
            (Some(account), false) => self.state.lock().unwrap().accounts.get(account).cloned().unwrap_or_default(),
            _ => return Err(wrong("a key where an account should be, or the other way round")),
        };
        let point = [vec![4], decode(&key["x"]), decode(&key["y"])].concat();
        let signed = format!("{}.{}", jws["protected"].as_str().unwrap_or_default(), jws["payload"].as_str().unwrap_or_default());
        let signature = decode(&jws["signature"]);
        if UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed.as_bytes(), &signature).is_err() {
            return Err(wrong("the signature is not that of the key"));
        }
        let payload = decode(&jws["payload"]);
        let payload =
            if payload.is_empty() { Value::Null } else { serde_json::from_slice(&payload).map_err(|_| wrong("payload"))? };
        Ok((payload, key))
    }

    fn order(&self, number: usize) -> Value {
        let state = self.state.lock().unwrap();
        let order = &state.orders[number];
        let status = if order.certificate.is_some() {
            "valid"
        } else if order.proofs.iter().any(|proof| proof.1 == "invalid") {
            "invalid"
        } else if order.proofs.iter().all(|proof| proof.1 == "valid") {
            "ready"
        } else {
            "pending"
        };
        let mut body = json!({
            "status": status,
            "identifiers": order.names.iter().map(|name| json!({ "type": "dns", "value": name })).collect::<Vec<_>>(),
            "authorizations": (0..order.names.len()).map(|n| format!("{}/authz/{number}/{n}", self.base)).collect::<Vec<_>>(),
            "finalize": format!("{}/finalize/{number}", self.base),
        });
        if order.certificate.is_some() {
            body["certificate"] = format!("{}/certificate/{number}", self.base).into();
        }
        body
    }

    fn challenge(&self, number: usize, name: usize) -> Value {
        let state = self.state.lock().unwrap();
        let (token, status, fault) = &state.orders[number].proofs[name];
        let mut body = json!({
            "type": "http-01", "url": format!("{}/challenge/{number}/{name}", self.base), "token": token, "status": status,
        });
        if let Some(fault) = fault {
            body["error"] = json!({ "type": "urn:ietf:params:acme:error:unauthorized", "detail": fault, "status": 403 });
        }
        body
    }

    /// Fetches the proof (RFC 8555 section 8.3).
    async fn fetch(&self, name: &str, token: &str, key: &Value) -> Result<(), String> {
        let mut target = self.target.subscribe();
        let address = target.wait_for(Option::is_some).await.unwrap().unwrap();
        let mut stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        let request = format!("GET /.well-known/acme-challenge/{token} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map_err(|error| error.to_string())?;
        // RFC 7638: the members that are required, in their order, without white space.
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, key["x"], key["y"]);
        let expected = format!("{token}.{}", URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)));
        let found = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        if answer.starts_with("HTTP/1.1 200 ") && found == expected { Ok(()) } else { Err(format!("found {answer:?}")) }
    }
}

enum Body {
    Json(Value),
    Text(String),
}

impl From<Value> for Body {
    fn from(json: Value) -> Self {
        Self::Json(json)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

async fn directory(State(shared): Ctx) -> Response {
    let base = &shared.base;
    let body = json!({
        "newNonce": format!("{base}/nonce"), "newAccount": format!("{base}/account"), "newOrder": format!("{base}/order"),
        "revokeCert": format!("{base}/revoke"), "keyChange": format!("{base}/key"),
    });
    axum::Json(body).into_response()
}

async fn nonce(State(shared): Ctx) -> Response {
    shared.answer(StatusCode::OK, None, String::new())
}

async fn account(State(shared): Ctx, uri: Uri, headers: HeaderMap, body: Bytes) -> Result<Response, Response> {
    let (payload, key) = shared.open(&uri, &headers, &body).map_err(|refusal| *refusal)?;
    if payload["termsOfServiceAgreed"] != true {
        return Err(shared.refuse("userActionRequired", "the terms are not agreed to".to_owned()));
    }
    let mut state = shared.state.lock().unwrap();
    let account = format!("{}/account/{}", shared.base, state.accounts.len());
    state.accounts.insert(account.clone(), key);
    drop(state);
    Ok(shared.answer(StatusCode::CREATED, Some(account), json!({ "status": "valid" })))
}

async fn new_order(State(shared): Ctx, uri: Uri, headers: HeaderMap, body: Bytes) -> Result<Response, Response> {
    let (payload, _) = shared.open(&uri, &headers, &body).map_err(|refusal| *refusal)?;
    let identifiers = payload["identifiers"].as_array().cloned().unwrap_or_default();
    let names: Vec<String> = identifiers.iter().filter_map(|id| id["value"].as_str().map(str::to_owned)).collect();
    let proofs = names.iter().map(|_| (uuid::Uuid::new_v4().simple().to_string(), "pending", None)).collect();
    let mut state = shared.state.lock().unwrap();
    let number = state.orders.len();
    state.orders.push(Order { names, proofs, certificate: None });
    drop(state);
    let location = format!("{}/order/{number}", shared.base);
    Ok(shared.answer(StatusCode::CREATED, Some(location), shared.order(number)))
}

async fn order(
    State(shared): Ctx,
    Path(number): Path<usize>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    shared.open(&uri, &headers, &body).map_err(|refusal| *refusal)?;
    Ok(shared.answer(StatusCode::OK, None, shared.order(number)))
}

async fn authorization(
    State(shared): Ctx,
    Path((number, name)): Path<(usize, usize)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    shared.open(&uri, &headers, &body).map_err(|refusal| *refusal)?;
    let challenge = shared.challenge(number, name);
    let identifier = shared.state.lock().unwrap().orders[number].names[name].clone();
    let body = json!({
        "status": challenge["status"], "identifier": { "type": "dns", "value": identifier }, "challenges": [challenge],
    });
    Ok(shared.answer(StatusCode::OK, None, body))
}

async fn challenge(
    State(shared): Ctx,
    Path((number, name)): Path<(usize, usize)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    let (_, key) = shared.open(&uri, &headers, &body).map_err(|refusal| *refusal)?;
    let answer = shared.challenge(number, name);
    let checking = Arc::clone(&shared);
    // Later, as a real one does.
    tokio::spawn(async move {
        let (host, token) = {
            let state = checking.state.lock().unwrap();
            let order = &state.orders[number];
            (order.names[name].clone(), order.proofs[name].0.clone())
        };
        let fetched = checking.fetch(&host, &token, &key).await;
        let mut state = checking.state.lock().unwrap();
        let proof = &mut state.orders[number].proofs[name];
        (proof.1, proof.2) = match fetched {
            Ok(()) => ("valid", None),
            Err(fault) => ("invalid", Some(fault)),
        };
    });
    Ok(shared.answer(StatusCode::OK, None, answer))
}

async fn finalize(
    State(shared): Ctx,
    Path(number): Path<usize>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    let (payload, _) = shared.open(&uri, &headers, &body).map_err(|refusal| *refusal)?;
    if shared.order(number)["status"] != "ready" {
        return Err(shared.refuse("orderNotReady", "not all proofs were found".to_owned()));
    }
    let der = CertificateSigningRequestDer::from(decode(&payload["csr"]));
    let request = CertificateSigningRequestParams::from_der(&der).map_err(|error| shared.refuse("badCSR", error.to_string()))?;
    let asked: HashSet<String> = request
        .params
        .subject_alt_names
        .iter()
        .filter_map(|name| if let rcgen::SanType::DnsName(name) = name { Some(name.as_str().to_owned()) } else { None })
        .collect();
    let ordered: HashSet<String> = shared.state.lock().unwrap().orders[number].names.iter().cloned().collect();
    if asked != ordered {
        return Err(shared.refuse("badCSR", format!("{asked:?} was not ordered")));
    }
    let signed = request.signed_by(&shared.issuer).map_err(|error| shared.refuse("badCSR", error.to_string()))?;
    shared.state.lock().unwrap().orders[number].certificate = Some(format!("{}{}", signed.pem(), shared.root_pem));
    Ok(shared.answer(StatusCode::OK, None, shared.order(number)))
}

async fn certificate(
    State(shared): Ctx,
    Path(number): Path<usize>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    shared.open(&uri, &headers, &body).map_err(|refusal| *refusal)?;
    let pem = shared.state.lock().unwrap().orders[number].certificate.clone().unwrap_or_default();
    Ok(shared.answer(StatusCode::OK, None, pem))
}
