//! Records that were read and parsed before, kept for as long as they hold; a busy sender's key is not parsed for each message.

use std::borrow::Borrow;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use mail_auth::{DnssecStatus, Error, MX, Parameters, RecordSet, ResolverCache, Txt};
use moka::sync::Cache;

/// The longest that a record is kept, whatever its time to live: a mended record is seen within this.
const KEPT_AT_MOST: Duration = Duration::from_hours(1);
/// Look-ups of one SPF evaluation that may find nothing (RFC 7208 section 4.6.4).
const MOST_VOIDS: i32 = 2;

type Addresses4 = RecordSet<Ipv4Addr>;
type Addresses6 = RecordSet<Ipv6Addr>;
type Names = RecordSet<Box<str>>;

/// Records of one kind.
pub(super) struct Kept<K, V>(Cache<K, (V, Instant)>);

impl<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Kept<K, V> {
    fn new(most: u64) -> Self {
        Self(Cache::builder().max_capacity(most).time_to_live(KEPT_AT_MOST).build())
    }
}

impl<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> ResolverCache<K, V> for Kept<K, V> {
    fn get<Q>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.get(name).filter(|(_, valid_until)| *valid_until > Instant::now()).map(|(value, _)| value)
    }

    fn remove<Q>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.remove(name).map(|(value, _)| value)
    }

    fn insert(&self, key: K, value: V, valid_until: Instant) {
        self.0.insert(key, (value, valid_until));
    }
}

/// All kinds.
pub(super) struct Caches {
    txt: Kept<Box<str>, Txt>,
    mx: Kept<Box<str>, RecordSet<MX>>,
    ipv4: Kept<Box<str>, Addresses4>,
    ipv6: Kept<Box<str>, Addresses6>,
    ptr: Kept<IpAddr, Names>,
}

type WithCaches<'a, P> = Parameters<
    'a,
    P,
    Kept<Box<str>, Txt>,
    Kept<Box<str>, RecordSet<MX>>,
    Kept<Box<str>, Addresses4>,
    Kept<Box<str>, Addresses6>,
    Kept<IpAddr, Names>,
>;

impl Caches {
    pub(super) fn new(keep: usize) -> Self {
        let most = u64::try_from(keep).unwrap_or(u64::MAX);
        Self { txt: Kept::new(most), mx: Kept::new(most), ipv4: Kept::new(most), ipv6: Kept::new(most), ptr: Kept::new(most) }
    }

    pub(super) fn parameters<P>(&self, params: P) -> WithCaches<'_, P> {
        Parameters::new(params)
            .with_txt_cache(&self.txt)
            .with_mx_cache(&self.mx)
            .with_ipv4_cache(&self.ipv4)
            .with_ipv6_cache(&self.ipv6)
            .with_ptr_cache(&self.ptr)
    }

    /// For one evaluation of SPF from an address: counts the look-ups that find nothing.
    pub(super) fn counting(&self, address: IpAddr) -> Counting<'_> {
        Counting { caches: self, voids: Voids(AtomicI32::new(0)), is_v4: address.is_ipv4() }
    }
}

/// How many look-ups found nothing so far.
pub(super) struct Voids(AtomicI32);

impl Voids {
    fn is_exceeded(&self) -> bool {
        self.0.load(Ordering::Relaxed) > MOST_VOIDS
    }
}

/// The caches as one evaluation of SPF sees them.
///
/// mail-auth asks the cache before each look-up and tells it of what was found, so a miss that nothing follows is a void
/// look-up. Past the limit, everything that is asked is answered with nothing at once. The mechanism `exists` asks for both
/// families and tells of neither; it is recognised by that and not counted.
pub(super) struct Counting<'a> {
    caches: &'a Caches,
    voids: Voids,
    is_v4: bool,
}

impl Counting<'_> {
    pub(super) fn is_exceeded(&self) -> bool {
        self.voids.is_exceeded()
    }

    pub(super) fn txt(&self) -> Counted<'_, Txt> {
        let nothing = || Txt::Error(Error::Dns(mail_auth::DnsError::InvalidRecordType));
        Counted { kept: &self.caches.txt, voids: &self.voids, step: 1, nothing }
    }

    pub(super) fn mx(&self) -> Counted<'_, RecordSet<MX>> {
        Counted { kept: &self.caches.mx, voids: &self.voids, step: 1, nothing: empty }
    }

    pub(super) fn ipv4(&self) -> Counted<'_, Addresses4> {
        Counted { kept: &self.caches.ipv4, voids: &self.voids, step: if self.is_v4 { 1 } else { -1 }, nothing: empty }
    }

    pub(super) fn ipv6(&self) -> Counted<'_, Addresses6> {
        Counted { kept: &self.caches.ipv6, voids: &self.voids, step: if self.is_v4 { -1 } else { 1 }, nothing: empty }
    }

    pub(super) fn ptr(&self) -> &Kept<IpAddr, Names> {
        &self.caches.ptr
    }
}

fn empty<T>() -> RecordSet<T> {
    RecordSet { rrset: Vec::new().into(), dnssec_status: DnssecStatus::Indeterminate }
}

pub(super) struct Counted<'a, V> {
    kept: &'a Kept<Box<str>, V>,
    voids: &'a Voids,
    /// What a miss adds: of the family that the peer is not of, only `exists` asks, after it asked for the other.
    step: i32,
    nothing: fn() -> V,
}

impl<V: Clone + Send + Sync + 'static> ResolverCache<Box<str>, V> for Counted<'_, V> {
    fn get<Q>(&self, name: &Q) -> Option<V>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let found = self.kept.get(name);
        if found.is_some() {
            return found;
        }
        if self.voids.is_exceeded() {
            return Some((self.nothing)());
        }
        self.voids.0.fetch_add(self.step, Ordering::Relaxed);
        None
    }

    fn remove<Q>(&self, name: &Q) -> Option<V>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.kept.remove(name)
    }

    fn insert(&self, key: Box<str>, value: V, valid_until: Instant) {
        self.voids.0.fetch_sub(self.step, Ordering::Relaxed);
        self.kept.insert(key, value, valid_until);
    }
}
