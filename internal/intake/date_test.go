package intake

import (
	"testing"
	"time"
)

// TestADatelineIsReadInEveryLanguage: what pages print, what it means.
func TestADatelineIsReadInEveryLanguage(t *testing.T) {
	for _, c := range []struct{ lang, line, text, local, zone string }{
		{"uk", "Текст: ,\u00a0 3 травня 2023, 14:30", "3 травня 2023, 14:30", "2023-05-03T14:30", ""},
		{"uk", "3 травня 2023 року о 14:30", "3 травня 2023 року о 14:30", "2023-05-03T14:30", ""},
		{"uk", "14:30, 3 травня 2023", "14:30, 3 травня 2023", "2023-05-03T14:30", ""},
		{"uk", "03.05.2023 14:30", "03.05.2023 14:30", "2023-05-03T14:30", ""},
		{"uk", "Середа, 3 травня 2023", "3 травня 2023", "2023-05-03", ""},
		{"uk", "3 травня 2023, 14:30 за Києвом", "3 травня 2023, 14:30", "2023-05-03T14:30", "Europe/Kyiv"},
		{"uk", "Опубліковано: 21.02.2026 08:05, оновлено: 21.02.2026 10:40", "21.02.2026 08:05", "2026-02-21T08:05", ""},
		{"uk", "Оновлено: 21.02.2026 10:40, опубліковано: 21.02.2026 08:05", "21.02.2026 08:05", "2026-02-21T08:05", ""},
		{"ru", "3 мая 2023 г., 14:30", "3 мая 2023 г., 14:30", "2023-05-03T14:30", ""},
		{"ru", "3 мая 2023, 14:30 (мск)", "3 мая 2023, 14:30", "2023-05-03T14:30", "Europe/Moscow"},
		{"ru", "14:30 03.05.2023", "14:30 03.05.2023", "2023-05-03T14:30", ""},
		{"en", "May 3, 2023 2:30 PM EDT", "May 3, 2023 2:30 PM", "2023-05-03T14:30", "-04:00"},
		{"en", "Published 3rd May 2023 at 12:05 a.m.", "3rd May 2023 at 12:05 a.m.", "2023-05-03T00:05", ""},
		{"en", "Wed 3 May 2023 14.30 BST", "3 May 2023", "2023-05-03", ""},
		{"en", "2023-05-03T14:30:15Z", "2023-05-03T14:30:15", "2023-05-03T14:30:15", "UTC"},
		{"en", "2023-05-03 14:30 +09:00", "2023-05-03 14:30", "2023-05-03T14:30", "+09:00"},
		{"en", "2023-05-03 14:30 UTC+3", "2023-05-03 14:30", "2023-05-03T14:30", "+03:00"},
		{"en", "25/12/2023", "25/12/2023", "2023-12-25", ""},
		{"ja", "2023年5月3日 14時30分", "2023年5月3日 14時30分", "2023-05-03T14:30", ""},
		{"ja", "2023年5月3日 午後2時30分", "2023年5月3日 午後2時30分", "2023-05-03T14:30", ""},
		{"ja", "2023年5月3日 14:30 JST", "2023年5月3日 14:30", "2023-05-03T14:30", "Asia/Tokyo"},
		{"ja", "令和5年5月3日", "令和5年5月3日", "2023-05-03", ""},
		{"ja", "2023/05/03 14:30", "2023/05/03 14:30", "2023-05-03T14:30", ""},
		{"ko", "2023년 5월 3일 오후 2시 30분", "2023년 5월 3일 오후 2시 30분", "2023-05-03T14:30", ""},
		{"ko", "입력 2023.05.03 14:30 수정 2023.05.03 16:00", "2023.05.03 14:30", "2023-05-03T14:30", ""},
		{"de", "3. Mai 2023, 14:30 Uhr", "3. Mai 2023, 14:30 Uhr", "2023-05-03T14:30", ""},
		{"de", "Stand: 03.05.2023 14.30 Uhr", "03.05.2023 14.30 Uhr", "2023-05-03T14:30", ""},
		{"de", "1. März 2024, 9:05 Uhr MEZ", "1. März 2024, 9:05 Uhr", "2024-03-01T09:05", "+01:00"},
		{"fr", "Publié le 3 mai 2023 à 14h30", "3 mai 2023 à 14h30", "2023-05-03T14:30", ""},
		{"fr", "1er août 2023 à 9 h", "1er août 2023 à 9 h", "2023-08-01T09:00", ""},
		{"pl", "3 maja 2023, 14:30", "3 maja 2023, 14:30", "2023-05-03T14:30", ""},
	} {
		l := newLine([]byte(c.line), 1, 0, len(c.line))
		s := l.readDateline(c.lang)
		if s == nil {
			t.Errorf("%s: no date read", c.line)
			continue
		}
		p, err := s.published(l, c.lang, "")
		if err != nil {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		if p.Text != c.text || p.Local != c.local || s.zone != c.zone {
			t.Errorf("%s: read %q as %s in zone %q, want %q as %s in zone %q", c.line, p.Text, p.Local, s.zone, c.text, c.local, c.zone)
		}
		if p.Assumed != (c.zone == "") {
			t.Errorf("%s: assumed is %v with zone %q", c.line, p.Assumed, s.zone)
		}
	}
}

// TestWhatIsNoDatelineIsNotRead: prose, impossible days, ambiguous orders.
func TestWhatIsNoDatelineIsNotRead(t *testing.T) {
	for _, c := range []struct{ lang, line string }{
		{"en", "The agreement was signed on 3 May 2023 by the foreign ministers of both countries in the capital."},
		{"en", "05/03/2023"},
		{"uk", "31 лютого 2023"},
		{"uk", "3 травня"},
		{"uk", "вчора, 14:30"},
		{"en", "Version 1.2.2023.4"},
		{"en", "3 Maybe 2023"},
		{"en", "12 People 2023"},
	} {
		l := newLine([]byte(c.line), 1, 0, len(c.line))
		if s := l.readDateline(c.lang); s != nil {
			t.Errorf("%s: read as %d-%d-%d", c.line, s.year, s.month, s.day)
		}
	}
}

// TestTheInstantFollowsSummerTimeOfTheZone with offsets that change in a year.
func TestTheInstantFollowsSummerTimeOfTheZone(t *testing.T) {
	for _, c := range []struct{ local, zone, want string }{
		{"2023-05-03T14:30", "Europe/Kyiv", "2023-05-03T11:30:00Z"},
		{"2023-01-03T14:30", "Europe/Kyiv", "2023-01-03T12:30:00Z"},
		{"2023-05-03T14:30", "Asia/Tokyo", "2023-05-03T05:30:00Z"},
		{"2023-05-03T14:30", "-04:00", "2023-05-03T18:30:00Z"},
		{"2023-05-03T14:30", "UTC", "2023-05-03T14:30:00Z"},
	} {
		p := Published{Local: c.local, Zone: c.zone, Precision: "minute"}
		if err := p.resolve(); err != nil || p.Instant.Format(time.RFC3339) != c.want {
			t.Errorf("%s %s: %v, %v, want %s", c.local, c.zone, p.Instant, err, c.want)
		}
	}
	for _, zone := range []string{"Mars/Olympus", "", "Local", "+25:00"} {
		p := Published{Local: "2023-05-03T14:30", Zone: zone, Precision: "minute"}
		if err := p.resolve(); err == nil {
			t.Errorf("zone %q is accepted", zone)
		}
	}
}
