//! The few forms of DER that keys and signatures come in. Reading is total: what is not of the form is `None`.

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OBJECT: u8 = 0x06;
const VERSION: u8 = 0xa0;

/// rsaEncryption, RFC 3279.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// id-ecPublicKey, RFC 5480.
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// id-Ed25519, RFC 8410.
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

use super::key::PublicKey;

/// One element: its tag, its content, and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            let length = digits
                .iter()
                .fold(0, |sum, &digit| sum << 8 | usize::from(digit));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn expect(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(bytes)?;
    (found == tag).then_some((content, rest))
}

/// The key of a `SubjectPublicKeyInfo`.
pub(super) fn public_key(spki: &[u8]) -> Option<PublicKey> {
    let (content, _) = expect(spki, SEQUENCE)?;
    let (algorithm, rest) = expect(content, SEQUENCE)?;
    let (object, _) = expect(algorithm, OBJECT)?;
    let (bits, _) = expect(rest, BITS)?;
    let key = bits.strip_prefix(&[0])?.to_vec();
    match object {
        RSA => Some(PublicKey::Rsa(key)),
        EC if key.len() == 65 => Some(PublicKey::P256(key)),
        ED25519 if key.len() == 32 => Some(PublicKey::Ed25519(key)),
        _ => None,
    }
}

/// The key of an X.509 certificate. Neither its signature nor its dates are checked here.
pub(super) fn certificate_key(certificate: &[u8]) -> Option<PublicKey> {
    let (content, _) = expect(certificate, SEQUENCE)?;
    let (mut rest, _) = expect(content, SEQUENCE)?;
    if let Some((_, after)) = expect(rest, VERSION) {
        rest = after;
    }
    // Serial number, signature, issuer, validity, subject.
    for _ in 0..5 {
        (_, _, rest) = element(rest)?;
    }
    public_key(rest)
}

fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    let length = content.len().to_be_bytes();
    let digits: Vec<u8> = length.into_iter().skip_while(|&digit| digit == 0).collect();
    match digits[..] {
        [] => bytes.push(0),
        [one @ 0..0x80] => bytes.push(one),
        _ => {
            bytes.push(0x80 | u8::try_from(digits.len()).unwrap_or(u8::MAX));
            bytes.extend(digits);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}

fn integer(number: &[u8]) -> Vec<u8> {
    let mut digits: Vec<u8> = number
        .iter()
        .copied()
        .skip_while(|&digit| digit == 0)
        .collect();
    if digits.first().is_none_or(|&first| first >= 0x80) {
        digits.insert(0, 0);
    }
    write(INTEGER, &digits)
}

/// The `RSAPublicKey` of RFC 8017 for a modulus and an exponent.
pub(super) fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    write(SEQUENCE, &[integer(modulus), integer(exponent)].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_der_is_refused_and_never_read_beyond_its_end() {
        let whole = rsa_key(&[0xff; 256], &[1, 0, 1]);
        for end in 0..whole.len() {
            assert_eq!(expect(&whole[..end], SEQUENCE), None);
            assert_eq!(public_key(&whole[..end]), None);
            assert_eq!(certificate_key(&whole[..end]), None);
        }
        assert_eq!(element(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert!(expect(&whole, SEQUENCE).is_some());
    }
}
